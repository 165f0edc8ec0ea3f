"""Render a plan: no randomness, and the mixture is the sum of its parts to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.simulation.channel import Channel, colour, distort
from zspex_toolkit.simulation.levels import PEAK, SILENCE, SilentSignalError, limited_gain, noise_gain, set_levels
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
    noise: np.ndarray | None  # (T,) float32; what the microphone distorts counts as noise
    plan: Plan  # with every gain set


def render(
    plan: Plan, read: Read, *, rooms: Signals | None = None, noises: Signals | None = None, voiced: Read | None = None
) -> Rendered:
    """The samples of a planned mixture.

    A source is what the microphone would have recorded of that speaker alone, were it free of distortion.

    Args:
        plan: from ``draw_mixture``; gains it has not yet are set from the samples.
        read: gives samples of an utterance at ``plan.fs``.
        rooms: impulse responses by the ids in the plan.
        noises: whole recordings by the ids in the plan.
        voiced: says which samples of an utterance are voiced; None to measure powers over all samples.

    Raises:
        ValueError: if an utterance is shorter than its plan says.
        SilentSignalError: if there is silence where a gain is measured, or nothing is left of a source.
    """
    sources = np.zeros((len(plan.sources), plan.num_samples), dtype=np.float32)
    for row, source in zip(sources, plan.sources, strict=True):
        _lay(source, read_passage(source, read), rooms, out=row)
    hiss = None
    if plan.noise is not None:
        hiss = stretch(np.asarray(noises[plan.noise.id], dtype=np.float32), plan.noise.start, plan.num_samples)
    if plan.channel is not None:
        sources = colour(plan.channel, sources)
        hiss = None if hiss is None else colour(plan.channel, hiss)
    if plan.sources[0].gain is None:
        plan = set_levels(plan, sources, hiss, None if voiced is None else _activity(plan, voiced))
    for row, source in zip(sources, plan.sources, strict=True):
        _quantise(row, plan.gain * source.gain, out=row)
        if not row.any():
            raise SilentSignalError(f"nothing is left of a source at its level ({', '.join(source.utterances)})")
    mixture = sources.sum(axis=0)  # exact: whole numbers of 1/32768 below 2^24
    if hiss is not None:
        hiss = _quantise(hiss, plan.gain * plan.noise.gain)
        mixture += hiss
    if plan.channel is not None and plan.channel.distorts:
        mixture, hiss = _distorted(plan.channel, mixture, hiss)
    return Rendered(mixture, sources, hiss, plan)


def render_enrollment(
    enrollment: Enrollment, read: Read, *, rooms: Signals | None = None, noises: Signals | None = None
) -> np.ndarray:
    """The samples of an enrollment, float32 (U,); without gain and noise as they were recorded.

    Raises:
        ValueError, SilentSignalError: as :func:`render`.
    """
    passage, noise, channel = enrollment.passage, enrollment.noise, enrollment.channel
    speech = read_passage(passage, read)
    if passage.room is not None:
        speech = reverberate(speech, rooms[passage.room])
    if passage.gain is None and noise is None and channel is None:
        return speech
    if channel is not None:
        speech = colour(channel, speech)
    if not float(speech @ speech) > SILENCE * len(speech):
        raise SilentSignalError(f"enrollment is silent ({', '.join(passage.utterances)})")
    if noise is not None:
        hiss = stretch(noises[noise.id], noise.start, len(speech))
        hiss = hiss if channel is None else colour(channel, hiss)
        speech = speech + np.float32(noise_gain(speech, hiss, noise)) * hiss
    speech = speech if channel is None else distort(channel, speech)
    return speech * np.float32(limited_gain(1.0 if passage.gain is None else passage.gain, speech))


def _place(source: Passage) -> slice:
    return slice(source.offset, source.offset + source.num_samples)


def _lay(source: Passage, samples: np.ndarray, rooms: Signals | None, out: np.ndarray) -> None:
    """Put a source's samples into its place in ``out`` (T,); the room of one that fades out sounds on behind it."""
    place = _place(source)
    if source.room is not None:
        if source.fade is not None:
            place = slice(source.offset, len(out))
            samples = np.pad(samples, (0, len(out) - source.offset - len(samples)))
        samples = reverberate(samples, rooms[source.room])
    out[place] = samples


def _distorted(channel: Channel, mixture: np.ndarray, noise: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The mixture as the microphone clips and codes it, and the noise with all that this adds; exact sums as before."""
    sources = mixture if noise is None else mixture - noise
    distorted = _quantise(np.clip(distort(channel, mixture), -PEAK, PEAK), 1.0)
    noise = _quantise(np.clip(distorted - sources, -PEAK, PEAK), 1.0)
    return sources + noise, noise


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
