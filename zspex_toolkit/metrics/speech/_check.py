"""What every measure of extracted speech asks of its two signals."""

from __future__ import annotations

import numpy as np


def check_signals(estimate: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two signals in double precision.

    Raises:
        ValueError: if they are not two signals (T,) of one length, or one of them is silent: no ratio is then defined.
    """
    estimate, reference = np.asarray(estimate, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if estimate.shape != reference.shape or estimate.ndim != 1:
        raise ValueError(f"expected two signals of one length (T,), got shapes {estimate.shape} and {reference.shape}")
    for name, signal in (("estimate", estimate), ("reference", reference)):
        if not len(signal) or not np.ptp(signal) > 0:  # a constant is silent too; there is nothing to hear
            raise ValueError(f"expected sound, but the {name} is silent")
    return estimate, reference
