"""Muon for matrices, Adam for the rest."""

from __future__ import annotations

import torch

from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.muon import Muon

__all__ = ["muon"]


def muon(groups: list[dict], config: TrainConfig) -> torch.optim.Optimizer:
    """:class:`zspex_toolkit.train.muon.Muon`; ``learning_rate`` is that of Adam."""
    return Muon(
        groups,
        momentum=config.matrix_momentum,
        matrix_scale=config.matrix_learning_rate_scale,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
    )
