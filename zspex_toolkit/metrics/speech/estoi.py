"""Extended short-time objective intelligibility of extracted speech."""

from __future__ import annotations

import numpy as np

from zspex_toolkit.metrics.speech._short_time import short_time_intelligibility

__all__ = ["estoi"]


def estoi(estimate: np.ndarray, reference: np.ndarray, *, fs: int) -> float:
    """ESTOI by pystoi, about 0 (not to be understood) to 1.

    Args:
        estimate: (T,).
        reference: (T,).
        fs: rate in Hz; both signals are resampled to 10 kHz.

    Raises:
        ValueError: if the lengths differ, one of the two is silent, or there is less than 0.4 s of speech.

    Reference: Jensen and Taal, "An algorithm for predicting the intelligibility of speech masked by modulated noise
        maskers", TASLP 24(11), 2016.

    >>> noise = np.random.default_rng(0).standard_normal(8000)
    >>> round(estoi(0.5 * noise, noise, fs=8000), 3)
    1.0
    """
    return short_time_intelligibility(estimate, reference, fs, extended=True)
