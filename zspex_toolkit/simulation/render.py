"""Render a planned mixture: no randomness, and the mixture is the sum of its parts to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.simulation.levels import set_levels
from zspex_toolkit.simulation.mixture_plan import MixturePlan
from zspex_toolkit.simulation.noise import stretch
from zspex_toolkit.simulation.room import reverberate
from zspex_toolkit.simulation.speed import change_speed

FULL_SCALE = np.float32(32768)


@dataclass(frozen=True)
class Rendered:
    """A mixture and what it is the sum of; all samples are 16-bit values over 32768."""

    mixture: np.ndarray  # (T,) float32 = sources.sum(axis=0) + noise
    sources: np.ndarray  # (S, T) float32, the target first
    noise: np.ndarray | None  # (T,) float32
    plan: MixturePlan  # with every gain set


def render(
    plan: MixturePlan,
    waveforms: Sequence[np.ndarray],
    *,
    noise: np.ndarray | None = None,
    rooms: Mapping[str, np.ndarray] | None = None,
    active: Sequence[np.ndarray] | None = None,
) -> Rendered:
    """The samples of a planned mixture.

    Args:
        plan: from ``draw_mixture``; gains it has not yet are set from the waveforms.
        waveforms: whole utterances of ``plan.sources``, (N_i,) each, at ``plan.fs``.
        noise: the whole recording ``plan.noise.id``.
        rooms: impulse responses by the ids in the plan.
        active: bool (N_i,) per utterance, its speech-active samples; None to measure powers over all samples.

    Raises:
        ValueError: if a waveform is shorter than its plan says, or silent where it counts.
    """
    parts = [
        _place(source, waveform, plan.num_samples, rooms or {})
        for source, waveform in zip(plan.sources, waveforms, strict=True)
    ]
    hiss = None
    if plan.noise is not None:
        if noise is None:
            raise ValueError(f"mixture {plan.id}: its noise {plan.noise.id} was not given")
        hiss = stretch(np.asarray(noise, dtype=np.float32), plan.noise.start, plan.num_samples)
    if plan.gain is None:
        plan = set_levels(plan, parts, hiss, _place_active(plan, active))
    sources = np.stack(
        [_quantise(part, plan.gain * source.gain) for part, source in zip(parts, plan.sources, strict=True)]
    )
    mixture = sources.sum(axis=0)  # exact: whole numbers of 1/32768 below 2^24
    if hiss is not None:
        hiss = _quantise(hiss, plan.gain * plan.noise.gain)
        mixture += hiss
    return Rendered(mixture, sources, hiss, plan)


def _place(source, waveform: np.ndarray, num_samples: int, rooms: Mapping[str, np.ndarray]) -> np.ndarray:
    """The source as it lies in the mixture, before gains: (T,) float32."""
    samples = change_speed(waveform, source.speed)
    if len(samples) < source.start + source.num_samples:
        raise ValueError(
            f"utterance {source.utt}: the plan needs {source.start + source.num_samples} samples, found {len(samples)};"
            " plan again if the audio has changed"
        )
    samples = samples[source.start : source.start + source.num_samples]
    if source.room is not None:
        if source.room not in rooms:
            raise ValueError(f"utterance {source.utt}: its room {source.room} was not given")
        samples = reverberate(samples, rooms[source.room])
    placed = np.zeros(num_samples, dtype=np.float32)
    placed[source.offset : source.offset + source.num_samples] = samples
    return placed


def _place_active(plan: MixturePlan, active: Sequence[np.ndarray] | None) -> list[np.ndarray] | None:
    """Speech-active samples of the utterances, (N_i,) bool, to those of the placed sources, (T,) bool."""
    if active is None:
        return None
    placed = []
    for source, mask in zip(plan.sources, active, strict=True):
        samples = np.minimum((np.arange(source.num_samples) + source.start) * source.speed, len(mask) - 1).astype(int)
        on = np.zeros(plan.num_samples, dtype=bool)
        on[source.offset : source.offset + source.num_samples] = np.asarray(mask, dtype=bool)[samples]
        placed.append(on)
    return placed


def _quantise(samples: np.ndarray, gain: float) -> np.ndarray:
    """Samples times gain, rounded to 16 bits: float32 whole numbers of 1/32768."""
    return np.rint(samples * np.float32(gain * FULL_SCALE)) / FULL_SCALE
