"""Half a cosine from the learning rate to ``min_learning_rate``."""

from __future__ import annotations

import math

from zspex_toolkit.train.config import TrainConfig

__all__ = ["cosine"]


def cosine(step: int, num_steps: int, metrics: list[float], config: TrainConfig) -> float:
    """Factor of the learning rate: 1 at the first step, falling to ``min_learning_rate`` after the last.

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, eq. 5.

    >>> [round(cosine(step, 4, [], TrainConfig()), 3) for step in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    floor = config.min_learning_rate / config.learning_rate
    return floor + (1 - floor) * (1 + math.cos(math.pi * min(step / max(num_steps, 1), 1.0))) / 2
