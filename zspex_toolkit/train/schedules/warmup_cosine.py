"""Linear warm-up, then half a cosine."""

from __future__ import annotations

from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.schedules.cosine import cosine

__all__ = ["warmup_cosine"]


def warmup_cosine(step: int, num_steps: int, metrics: list[float], config: TrainConfig) -> float:
    """Factor of the learning rate: up to 1 in ``warmup_steps`` equal parts, then ``cosine`` over the other steps.

    >>> [round(warmup_cosine(step, 6, [], TrainConfig(warmup_steps=2)), 3) for step in range(6)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    return cosine(step - config.warmup_steps, num_steps - config.warmup_steps, metrics, config)
