"""Scale-invariant signal-to-distortion ratio of extracted speech."""

from __future__ import annotations

import numpy as np
import torch

from zspex_toolkit.metrics.speech._check import check_signals
from zspex_toolkit.signal.si_sdr import si_sdr as si_sdr_db

__all__ = ["si_sdr"]

_ROUNDING = 1e-30  # energy of double precision's rounding, of a signal of energy one: no ratio is above 300 dB


def si_sdr(estimate: np.ndarray, reference: np.ndarray, *, fs: int) -> float:
    """SI-SDR in dB, means removed, in double precision; the same for any scale and sign of the two signals.

    At most 300 dB.

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
    signals = (signal - signal.mean() for signal in check_signals(estimate, reference))
    # Energies of one: what is added to them is then the same share of any signal, and only ends a perfect estimate.
    estimate, reference = (torch.from_numpy(signal / np.linalg.norm(signal)) for signal in signals)
    return float(si_sdr_db(estimate, reference, eps=_ROUNDING))
