"""Lower the learning rate when the validation no longer improves."""

from __future__ import annotations

import math

from zspex_toolkit.train.config import TrainConfig

__all__ = ["plateau"]


def plateau(step: int, num_steps: int, metrics: list[float], config: TrainConfig) -> float:
    """Factor of the learning rate: times ``plateau_factor`` whenever more than ``plateau_patience`` epochs in a row
    brought no better metric, never below ``min_learning_rate``.

    >>> plateau(0, 9, [3., 2., 2., 2., 1.], TrainConfig(plateau_patience=1, plateau_factor=0.5))
    0.5
    """
    factor, best, waited = 1.0, math.inf, 0
    for metric in metrics:
        waited = 0 if metric < best else waited + 1
        best = metric if metric < best else best
        if waited > config.plateau_patience:
            factor, waited = factor * config.plateau_factor, 0
    return max(factor, config.min_learning_rate / config.learning_rate)
