"""Levels of a mixture: the gains that give the asked signal-to-noise ratio and keep everything below full scale."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.mixture_plan import MixturePlan, Source


class SilentSignalError(ValueError):
    """A signal without power where it was to be measured: no gain gives the asked ratio."""


# Highest absolute value of a mixture and of its sources; the rest of full scale is room for rounding to 16 bits.
PEAK = 0.99


def set_levels(
    plan: MixturePlan,
    parts: Sequence[np.ndarray],
    noise: np.ndarray | None = None,
    active: Sequence[np.ndarray] | None = None,
) -> MixturePlan:
    """The plan with every gain set.

    The target keeps its level. Each interferer gets the same power over the samples where it overlaps with the target;
    together they are scaled until the target's power over that of their sum, both over the samples where the target
    overlaps with any of them, is ``plan.snr_db``. A target alone keeps its level too. Then one gain for all keeps
    mixture and sources below ``PEAK``; it is 1 where nothing would clip.

    Args:
        plan: what sounds where.
        parts: the sources as they lie in the mixture, (T,) each, silent outside their stretch.
        noise: (T,), if the plan has noise.
        active: bool (T,) per source: powers are then over the samples of the overlap where the signal itself is active
            (the interferers: where any of them is), as levels of speech are measured; all samples if None.

    Raises:
        SilentSignalError: if the target or an interferer is silent over the samples that count.
    """
    spans = [_span(source, plan.num_samples) for source in plan.sources]
    masks = [span & on for span, on in zip(spans, active, strict=True)] if active is not None else spans
    gains = [1.0]
    if len(plan.sources) == 1:
        if not power(parts[0][masks[0]]) > 0:
            raise SilentSignalError(f"target is silent ({plan.sources[0].utt})")
        return _with_gains(plan, parts, gains, noise, _noise_gain(plan, parts[0], noise))
    for source, part, mask in zip(plan.sources[1:], parts[1:], masks[1:], strict=True):
        level = power(part[mask & spans[0]])
        if not level > 0:
            raise SilentSignalError(f"interferer is silent where it overlaps with the target ({source.utt})")
        gains.append(level**-0.5)
    overlap = spans[0] & np.logical_or.reduce(spans[1:])
    interference = _sum(parts[1:], gains[1:])
    target_power = power(parts[0][overlap & masks[0]])
    if not target_power > 0:
        raise SilentSignalError(f"target is silent where it overlaps with the interferers ({plan.sources[0].utt})")
    interference_power = power(interference[overlap & np.logical_or.reduce(masks[1:])])
    scale = (target_power / interference_power) ** 0.5 * 10 ** (-plan.snr_db / 20)
    gains = [1.0, *(gain * scale for gain in gains[1:])]
    noise_gain = _noise_gain(plan, _sum(parts, gains), noise)
    return _with_gains(plan, parts, gains, noise, noise_gain)


def _span(source: Source, num_samples: int) -> np.ndarray:
    """Bool (T,): where the source sounds."""
    span = np.zeros(num_samples, dtype=bool)
    span[source.offset : source.offset + source.num_samples] = True
    return span


def _sum(parts: Sequence[np.ndarray], gains: Sequence[float]) -> np.ndarray:
    return sum(np.float32(gain) * part for part, gain in zip(parts, gains, strict=True))


def _noise_gain(plan: MixturePlan, speech: np.ndarray, noise: np.ndarray | None) -> float | None:
    if plan.noise is None:
        return None
    level = power(noise)
    if not level > 0:
        raise SilentSignalError(f"noise is silent in the stretch drawn ({plan.noise.id})")
    return float((power(speech) / level) ** 0.5 * 10 ** (-plan.noise.snr_db / 20))


def _with_gains(plan, parts, gains, noise, noise_gain) -> MixturePlan:
    mixture = _sum(parts, gains)
    peaks = [abs(gain) * float(np.abs(part).max()) for part, gain in zip(parts, gains, strict=True)]
    if noise_gain is not None:
        mixture = mixture + np.float32(noise_gain) * noise
        peaks.append(noise_gain * float(np.abs(noise).max()))
    peak = max(*peaks, float(np.abs(mixture).max()))
    return dataclasses.replace(
        plan,
        sources=tuple(
            dataclasses.replace(source, gain=_portable(gain)) for source, gain in zip(plan.sources, gains, strict=True)
        ),
        gain=_portable(min(1.0, PEAK / peak)),
        noise=dataclasses.replace(plan.noise, gain=_portable(noise_gain)) if plan.noise else None,
    )


def _portable(gain: float) -> float:
    """Nine digits: the last bits of a sum differ between machines and numbers of threads, a plan must not."""
    return float(f"{gain:.9g}")
