"""Adam; its weight decay is an L2 term of the loss."""

from __future__ import annotations

import torch

from zspex_toolkit.train.config import TrainConfig

__all__ = ["adam"]


def adam(groups: list[dict], config: TrainConfig) -> torch.optim.Optimizer:
    """``torch.optim.Adam`` in its fused form: one call for all parameters, on CPU and GPU."""
    return torch.optim.Adam(groups, betas=config.betas, eps=config.eps, weight_decay=config.weight_decay, fused=True)
