"""Negative scale-invariant signal-to-distortion ratio."""

from __future__ import annotations

from torch import Tensor

from zspex_toolkit.signal.si_sdr import si_sdr as si_sdr_db

__all__ = ["si_sdr"]


def si_sdr(estimate: Tensor, reference: Tensor, *, num_samples: Tensor | None = None, zero_mean: bool = True) -> Tensor:
    """Mean over all signals of -SI-SDR, a scalar in dB; lower is better.

    Args:
        estimate: extracted speech, (..., T).
        reference: clean speech of the target, (..., T).
        num_samples: how many samples of each signal count, broadcasting to (...); all T if None.
        zero_mean: remove the mean of both signals first.

    Raises:
        ValueError: if the shapes differ.

    >>> import torch
    >>> reference = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    >>> si_sdr(reference + torch.tensor([[0.1, 0.1, -0.1, -0.1]]), reference).round(decimals=3)
    tensor(-20.)
    """
    return -si_sdr_db(estimate, reference, num_samples=num_samples, zero_mean=zero_mean).mean()
