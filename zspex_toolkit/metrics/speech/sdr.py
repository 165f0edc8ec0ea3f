"""Signal-to-distortion ratio of extracted speech, as BSS Eval defines it."""

from __future__ import annotations

import numpy as np
import torch

from zspex_toolkit.metrics.speech._check import check_signals

__all__ = ["sdr"]

FILTER_LENGTH = 512  # samples: what a filter of this length makes of the reference is no distortion


def sdr(estimate: np.ndarray, reference: np.ndarray, *, fs: int) -> float:
    """SDR in dB, by torchmetrics: the reference may be filtered by any 512 samples before what is left counts.

    It is never below the SI-SDR without removal of means, which allows a filter of one sample.

    Args:
        estimate: (T,).
        reference: (T,).
        fs: rate in Hz; does not matter.

    Raises:
        ValueError: if the lengths differ, one of the two is silent, or the ratio is not finite.

    Reference: Vincent et al., "Performance measurement in blind audio source separation", TASLP 14(4), 2006.

    >>> reference = np.random.default_rng(0).standard_normal(8000)
    >>> delayed = np.concatenate([np.zeros(5), reference[:-5]])
    >>> sdr(delayed, reference, fs=8000) > 25                        # a filter can delay
    True
    """
    from torchmetrics.functional.audio import signal_distortion_ratio  # takes a second to import

    estimate, reference = check_signals(estimate, reference)
    ratio = float(
        signal_distortion_ratio(torch.from_numpy(estimate), torch.from_numpy(reference), filter_length=FILTER_LENGTH)
    )
    if not np.isfinite(ratio):
        raise ValueError(f"expected a finite ratio, got {ratio}")
    return ratio
