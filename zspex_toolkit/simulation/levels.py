"""Levels of a mixture: the gains that give the asked signal-to-noise ratio and keep everything below full scale."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import reduce
from operator import or_

import numpy as np

from zspex_toolkit.signal.level import gain_for_snr, power
from zspex_toolkit.simulation.plan import Noise, Passage, Plan


class SilentSignalError(ValueError):
    """A signal without power where it was to be measured: no gain gives the asked ratio."""


# Highest absolute value of a mixture and of its sources; the rest of full scale is room for rounding to 16 bits.
PEAK = 0.99
SILENCE = 1e-8  # mean square (-80 dB re full scale) below which speech has no level to set


def set_levels(
    plan: Plan,
    parts: Sequence[np.ndarray],
    noise: np.ndarray | None = None,
    active: Sequence[np.ndarray] | None = None,
) -> Plan:
    """The plan with every gain set.

    The target keeps its level. Each interferer gets the same power over the samples where it overlaps with the target;
    together they are scaled until the target's power over that of their sum, both over the samples where the target
    overlaps with any of them, is ``plan.snr_db``. Where sources come and go (``fade``), they may not overlap at all:
    powers are then over all of where each sounds. A target alone keeps its level too. Then one gain for all is the one
    planned, or what keeps mixture and sources below ``PEAK``, if that is less.

    Args:
        plan: what sounds where.
        parts: the sources as they lie in the mixture, (T,) each, silent outside their stretch.
        noise: (T,), if the plan has noise.
        active: bool (T,) per source: powers are then over the samples of the overlap where the signal itself is active
            (the interferers: where any of them is), as levels of speech are measured; all samples if None.

    Raises:
        SilentSignalError: if the target or an interferer is silent over the samples that count.
    """
    gains = _gains(plan, parts, active)
    mixture = _sum(parts, gains)
    peaks = [abs(gain) * _peak(part) for part, gain in zip(parts, gains, strict=True)]
    leveled = None
    if plan.noise is not None:
        gain = noise_gain(mixture, noise, plan.noise)
        leveled = dataclasses.replace(plan.noise, gain=_portable(gain))
        mixture = mixture + np.float32(gain) * noise
        peaks.append(gain * _peak(noise))
    return dataclasses.replace(
        plan,
        sources=tuple(
            dataclasses.replace(source, gain=_portable(gain)) for source, gain in zip(plan.sources, gains, strict=True)
        ),
        gain=_portable(min(plan.gain, PEAK / max(*peaks, _peak(mixture)))),
        noise=leveled,
    )


def limited_gain(gain: float, samples: np.ndarray) -> float:
    """The gain, or what keeps the samples below ``PEAK``, if that is less."""
    return min(gain, PEAK / _peak(samples))


def noise_gain(speech: np.ndarray, hiss: np.ndarray, noise: Noise) -> float:
    """Factor for the stretch ``hiss`` that puts the speech ``noise.snr_db`` above it, both (T,).

    Raises:
        SilentSignalError: if the stretch is silent.
    """
    level = power(hiss)
    if not level > 0:
        raise SilentSignalError(f"noise is silent in the stretch drawn ({noise.id})")
    return gain_for_snr(power(speech), level, noise.snr_db)


def _gains(plan: Plan, parts: Sequence[np.ndarray], active: Sequence[np.ndarray] | None) -> list[float]:
    """Of the sources, before the gain for all."""
    target, *interferers = plan.sources
    spans = [_span(source, plan.num_samples) for source in plan.sources]
    masks = [span & on for span, on in zip(spans, active, strict=True)] if active is not None else spans
    if not interferers:
        _speech_power(parts[0], masks[0], "target is silent", target)
        return [1.0]
    come_and_go = any(source.fade is not None for source in plan.sources)
    all_samples = np.ones(plan.num_samples, dtype=bool)
    near, overlap = (all_samples,) * 2 if come_and_go else (spans[0], spans[0] & reduce(or_, spans[1:]))
    where = "interferer is silent" + ("" if come_and_go else " where it overlaps with the target")
    levels = [
        _speech_power(part, mask & near, where, source)
        for source, part, mask in zip(interferers, parts[1:], masks[1:], strict=True)
    ]
    where = "target is silent" + ("" if come_and_go else " where it overlaps with the interferers")
    target_power = _speech_power(parts[0], overlap & masks[0], where, target)
    equal = [level**-0.5 for level in levels]
    interference_power = _power(_sum(parts[1:], equal), overlap & reduce(or_, masks[1:]))
    scale = gain_for_snr(target_power, interference_power, plan.snr_db)
    return [1.0, *(gain * scale for gain in equal)]


def _span(source: Passage, num_samples: int) -> np.ndarray:
    """Bool (T,): where the source sounds."""
    span = np.zeros(num_samples, dtype=bool)
    span[source.offset : source.offset + source.num_samples] = True
    return span


def _speech_power(samples: np.ndarray, where: np.ndarray, fault: str, passage: Passage) -> float:
    level = _power(samples, where)
    if not level > SILENCE:
        raise SilentSignalError(f"{fault} ({', '.join(passage.utterances)})")
    return level


def _power(samples: np.ndarray, where: np.ndarray) -> float:
    return power(samples if where.all() else samples[where])  # choosing samples would take most of the time


def _sum(parts: Sequence[np.ndarray], gains: Sequence[float]) -> np.ndarray:
    return reduce(np.add, (np.float32(gain) * part for part, gain in zip(parts, gains, strict=True)))


def _peak(samples: np.ndarray) -> float:
    return float(max(samples.max(), -samples.min()))


def _portable(gain: float) -> float:
    """Nine digits: the last bits of a sum differ between machines and numbers of threads, a plan must not."""
    return float(f"{gain:.9g}")
