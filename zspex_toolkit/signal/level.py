"""Levels of signals: power over the samples where both sound or where it is loud, gain for a signal-to-noise ratio."""

from collections.abc import Iterable

import numpy as np


def power(samples: np.ndarray) -> float:
    """Mean square of the samples, summed in double precision; 0 for no samples.

    >>> power(np.array([3.0, -4.0]))
    12.5
    """
    if not len(samples):
        return 0.0
    samples = np.asarray(samples, dtype=np.float64)
    return float(samples @ samples / len(samples))


def gain_for_snr(target_power: float, interferer_power: float, snr_db: float) -> float:
    """Factor for the interferer that puts the target ``snr_db`` above it.

    Args:
        target_power: mean square of the target, over the samples that count.
        interferer_power: that of the interferer before the factor.
        snr_db: power of the target over that of the scaled interferer, in dB.

    Raises:
        ValueError: if one of the two is silent, or ``snr_db`` is not finite.

    >>> gain_for_snr(4.0, 1.0, 20.0)
    0.2
    """
    if not np.isfinite(snr_db):
        raise ValueError(f"snr_db: expected a finite number of dB, got {snr_db}")
    for name, value in (("target", target_power), ("interferer", interferer_power)):
        if not value > 0:
            raise ValueError(f"{name} is silent: no gain gives an SNR of {snr_db:g} dB")
    return float((target_power / interferer_power) ** 0.5 * 10 ** (-snr_db / 20))


def active_power(blocks: Iterable[np.ndarray], frame: int) -> float:
    """Mean square where a signal is loud: the mean over frames, each weighted by its energy, so pauses hardly count.

    Args:
        blocks: the signal in pieces (n, C).
        frame: samples of a frame; the last of each block may be shorter.

    Returns:
        the power; 0 for silence. That of a steady signal is its :func:`power`, however long the silence around it.

    >>> tone, pause = np.full((200, 1), 0.5), np.zeros((1000, 1))
    >>> active_power([pause, tone, pause], frame=100)
    0.25
    """
    energy, weighted = 0.0, 0.0
    for block in blocks:
        sums = np.add.reduceat(np.square(block, dtype=np.float64).mean(axis=1), np.arange(0, len(block), frame))
        sizes = np.minimum(frame, len(block) - np.arange(0, len(block), frame))
        energy += float(sums.sum())
        weighted += float((sums**2 / sizes).sum())
    return weighted / energy if energy > 0 else 0.0
