"""Stochastic gradient descent with momentum."""

from __future__ import annotations

import torch

from zspex_toolkit.train.config import TrainConfig

__all__ = ["sgd"]


def sgd(groups: list[dict], config: TrainConfig) -> torch.optim.Optimizer:
    """``torch.optim.SGD``, all parameters at once; its weight decay is an L2 term of the loss.

    Not in its fused form, which fails where a parameter has its first gradient later than others.
    """
    return torch.optim.SGD(groups, momentum=config.momentum, weight_decay=config.weight_decay, foreach=True)
