"""What the files of a trial say of it: lengths, the power of the target over the interferer, how far they overlap."""

from __future__ import annotations

import numpy as np

from zspex_toolkit.signal.level import power
from zspex_toolkit.signal.speech_activity import active_frames


def snr_db(target: np.ndarray, interferer: np.ndarray) -> float | None:
    """Power of the target over that of the interferer in dB, over the samples that both reach over.

    A source reaches from its first sample that is not zero to its last: what it was padded with does not count. Where
    the two do not meet, all samples count.

    Args:
        target: (T,).
        interferer: (T,).

    Returns:
        None if one of the two is silent.

    >>> snr_db(np.array([0.0, 4.0, 1.0, 3.0]), np.array([1.0, 1.0, -1.0, 0.0]))    # 17 over 2 where both sound
    9.294189257142927
    """
    spans = [np.flatnonzero(signal)[[0, -1]] for signal in (target, interferer) if signal.any()]
    if len(spans) < 2:
        return None
    start, stop = max(spans[0][0], spans[1][0]), min(spans[0][1], spans[1][1]) + 1
    part = slice(start, stop) if stop > start else slice(None)
    powers = [power(signal[part]) for signal in (target, interferer)]
    if not all(powers):  # zeros within the common part of a signal that sounds elsewhere
        powers = [power(signal) for signal in (target, interferer)]
    return float(10 * np.log10(powers[0] / powers[1]))


def overlap(target: np.ndarray, interferer: np.ndarray, fs: int) -> float | None:
    """Share of the time in which the target sounds during which the interferer sounds too, 0 to 1.

    Args:
        target: (T,).
        interferer: (T,).
        fs: rate in Hz.

    Returns:
        None if the target is silent.

    >>> overlap(np.array([1.0, 1.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 1.0]), fs=50)
    0.25
    """
    sounds, disturbs = active_frames(target, fs), active_frames(interferer, fs)
    return float(disturbs[sounds].mean()) if sounds.any() else None


def energy_left_db(output: np.ndarray, mixture: np.ndarray, *, lowest: float = -100.0) -> float:
    """Energy of the output over that of the mixture in dB; ``lowest`` for whatever is below it, such as silence.

    >>> energy_left_db(np.array([0.1, -0.1]), np.array([1.0, 1.0])).__round__(6)
    -20.0
    """
    energies = power(output), power(mixture)
    if not all(energies):
        return lowest if energies[1] else 0.0
    return float(max(10 * np.log10(energies[0] / energies[1]), lowest))
