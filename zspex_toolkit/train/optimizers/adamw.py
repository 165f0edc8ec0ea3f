"""Adam with decoupled weight decay."""

from __future__ import annotations

import torch

from zspex_toolkit.train.config import TrainConfig

__all__ = ["adamw"]


def adamw(groups: list[dict], config: TrainConfig) -> torch.optim.Optimizer:
    """``torch.optim.AdamW`` in its fused form: one call for all parameters, on CPU and GPU."""
    return torch.optim.AdamW(groups, betas=config.betas, eps=config.eps, weight_decay=config.weight_decay, fused=True)
