"""Render a plan: no randomness, and the mixture is the sum of its parts to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.simulation.levels import SILENCE, SilentSignalError, limited_gain, noise_gain, set_levels
from zspex_toolkit.simulation.passage import Read, read_activity, read_passage
from zspex_toolkit.simulation.perturb import reverberate, stretch
from zspex_toolkit.simulation.plan import Enrollment, Passage, Plan

FULL_SCALE = np.float32(32768)
Signals = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Rendered:
    """A mixture and what it is the sum of; all samples are 16-bit values over 32768."""

    mixture: np.ndarray  # (T,) float32 = sources.sum(axis=0) + noise
    sources: np.ndarray  # (S, T) float32, the target first
    noise: np.ndarray | None  # (T,) float32
    plan: Plan  # with every gain set


def render(
    plan: Plan, read: Read, *, rooms: Signals | None = None, noises: Signals | None = None, voiced: Read | None = None
) -> Rendered:
    """The samples of a planned mixture.

    Args:
        plan: from ``draw_mixture``; gains it has not yet are set from the samples.
        read: gives samples of an utterance at ``plan.fs``.
        rooms: impulse responses by the ids in the plan.
        noises: whole recordings by the ids in the plan.
        voiced: says which samples of an utterance are voiced; None to measure powers over all samples.

    Raises:
        ValueError: if an utterance is shorter than its plan says.
        SilentSignalError: if there is silence where a gain is measured.
    """
    sources = np.zeros((len(plan.sources), plan.num_samples), dtype=np.float32)
    for row, source in zip(sources, plan.sources, strict=True):
        row[_place(source)] = _speech(source, read, rooms)
    hiss = None
    if plan.noise is not None:
        hiss = stretch(np.asarray(noises[plan.noise.id], dtype=np.float32), plan.noise.start, plan.num_samples)
    if plan.sources[0].gain is None:
        plan = set_levels(plan, sources, hiss, None if voiced is None else _activity(plan, voiced))
    for row, source in zip(sources, plan.sources, strict=True):
        _quantise(row, plan.gain * source.gain, out=row)
    mixture = sources.sum(axis=0)  # exact: whole numbers of 1/32768 below 2^24
    if hiss is not None:
        hiss = _quantise(hiss, plan.gain * plan.noise.gain)
        mixture += hiss
    return Rendered(mixture, sources, hiss, plan)


def render_enrollment(
    enrollment: Enrollment, read: Read, *, rooms: Signals | None = None, noises: Signals | None = None
) -> np.ndarray:
    """The samples of an enrollment, float32 (U,); without gain and noise as they were recorded.

    Raises:
        ValueError, SilentSignalError: as :func:`render`.
    """
    passage, noise = enrollment.passage, enrollment.noise
    speech = _speech(passage, read, rooms)
    if passage.gain is None and noise is None:
        return speech
    if not float(speech @ speech) > SILENCE * len(speech):
        raise SilentSignalError(f"enrollment is silent ({', '.join(passage.utterances)})")
    if noise is not None:
        hiss = stretch(noises[noise.id], noise.start, len(speech))
        speech = speech + np.float32(noise_gain(speech, hiss, noise)) * hiss
    return speech * np.float32(limited_gain(1.0 if passage.gain is None else passage.gain, speech))


def _place(source: Passage) -> slice:
    return slice(source.offset, source.offset + source.num_samples)


def _speech(passage: Passage, read: Read, rooms: Signals | None) -> np.ndarray:
    samples = read_passage(passage, read)
    return samples if passage.room is None else reverberate(samples, rooms[passage.room])


def _activity(plan: Plan, voiced: Read) -> np.ndarray:
    """Bool (S, T): where each source is voiced."""
    active = np.zeros((len(plan.sources), plan.num_samples), dtype=bool)
    for row, source in zip(active, plan.sources, strict=True):
        row[_place(source)] = read_activity(source, voiced)
    return active


def _quantise(samples: np.ndarray, gain: float, out: np.ndarray | None = None) -> np.ndarray:
    """Samples times gain, rounded to 16 bits: float32 whole numbers of 1/32768."""
    scaled = np.multiply(samples, np.float32(gain * FULL_SCALE), out=out)
    np.rint(scaled, out=scaled)
    return np.divide(scaled, FULL_SCALE, out=scaled)
