"""How much of a mixture an output still holds."""

from __future__ import annotations

import torch
from torch import Tensor


def energy_left_db(
    estimate: Tensor, mixture: Tensor, *, num_samples: Tensor | None = None, floor_db: float = -100.0
) -> Tensor:
    """Energy of the estimate over that of the mixture, in dB, bending towards ``floor_db``; finite for silence.

    Args:
        estimate: (..., T).
        mixture: (..., T).
        num_samples: how many samples of each signal count, (...); all T if None.
        floor_db: what silence gives.

    Returns:
        (...).

    Raises:
        ValueError: if the shapes differ.

    >>> energy_left_db(torch.tensor([[0.1, -0.1]]), torch.tensor([[1.0, 1.0]]), floor_db=-60.0).round(decimals=2)
    tensor([-20.])
    """
    if estimate.shape != mixture.shape or not estimate.ndim:
        raise ValueError(
            "expected an estimate and a mixture of one shape (..., T), "
            f"got {tuple(estimate.shape)} and {tuple(mixture.shape)}"
        )
    if num_samples is not None:
        counted = torch.arange(mixture.shape[-1], device=mixture.device) < num_samples[..., None]
        estimate, mixture = torch.where(counted, estimate, 0), torch.where(counted, mixture, 0)
    tiny = 1e-8  # a silent mixture has no energy to compare with
    ratio = (estimate.square().sum(-1) + tiny * 10 ** (floor_db / 10)) / (mixture.square().sum(-1) + tiny)
    return 10 * torch.log10(ratio + 10 ** (floor_db / 10))
