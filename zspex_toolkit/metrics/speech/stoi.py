"""Short-time objective intelligibility of extracted speech."""

from __future__ import annotations

import numpy as np

from zspex_toolkit.metrics.speech._short_time import short_time_intelligibility

__all__ = ["stoi"]


def stoi(estimate: np.ndarray, reference: np.ndarray, *, fs: int) -> float:
    """STOI by pystoi, about 0 (not to be understood) to 1.

    Args:
        estimate: (T,).
        reference: (T,).
        fs: rate in Hz; both signals are resampled to 10 kHz.

    Raises:
        ValueError: if the lengths differ, one of the two is silent, or there is less than 0.4 s of speech.

    Reference: Taal et al., "An algorithm for intelligibility prediction of time-frequency weighted noisy speech",
        TASLP 19(7), 2011.

    >>> noise = np.random.default_rng(0).standard_normal(8000)
    >>> round(stoi(0.5 * noise, noise, fs=8000), 3)
    1.0
    """
    return short_time_intelligibility(estimate, reference, fs, extended=False)
