"""The learning rate stays as it is."""

from __future__ import annotations

from zspex_toolkit.train.config import TrainConfig

__all__ = ["constant"]


def constant(step: int, num_steps: int, metrics: list[float], config: TrainConfig) -> float:
    """Factor of the learning rate: 1.

    >>> constant(5, 10, [], TrainConfig())
    1.0
    """
    return 1.0
