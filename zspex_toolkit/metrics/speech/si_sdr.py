"""Scale-invariant signal-to-distortion ratio of extracted speech."""

from __future__ import annotations

import numpy as np
import torch

from zspex_toolkit.metrics.speech._check import check_signals
from zspex_toolkit.signal.si_sdr import si_sdr as si_sdr_db

__all__ = ["si_sdr"]


def si_sdr(estimate: np.ndarray, reference: np.ndarray, *, fs: int) -> float:
    """SI-SDR in dB, means removed, in double precision; the same for any scale and sign of the estimate.

    Args:
        estimate: (T,).
        reference: (T,).
        fs: rate in Hz; does not matter.

    Raises:
        ValueError: if the lengths differ or one of the two is silent.

    >>> reference = np.array([1.0, -1.0, 1.0, -1.0])
    >>> round(si_sdr(reference + np.array([0.1, 0.1, -0.1, -0.1]), reference, fs=8000), 4)
    20.0
    """
    estimate, reference = check_signals(estimate, reference)
    return float(si_sdr_db(torch.from_numpy(estimate), torch.from_numpy(reference)))
