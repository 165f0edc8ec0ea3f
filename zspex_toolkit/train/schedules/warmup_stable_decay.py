"""Linear warm-up, a long stretch at the learning rate, and a linear fall at the end."""

from __future__ import annotations

from zspex_toolkit.train.config import TrainConfig

__all__ = ["warmup_stable_decay"]


def warmup_stable_decay(step: int, num_steps: int, metrics: list[float], config: TrainConfig) -> float:
    """Factor of the learning rate: up to 1 in ``warmup_steps`` equal parts, 1, and over the last ``decay_share`` of all
    steps down to ``min_learning_rate``.

    With a share of 0 a training has no end that it must know of: it can be cooled down from any of its checkpoints, by
    another training that begins with its weights and has a share of 1.

    Reference: Hu et al., "MiniCPM: unveiling the potential of small language models with scalable training
    strategies", 2024, Section 4.

    >>> config = TrainConfig(warmup_steps=2, decay_share=0.5)
    >>> [round(warmup_stable_decay(step, 8, [], config), 3) for step in range(8)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    floor, length = config.min_learning_rate / config.learning_rate, config.decay_share * num_steps
    left = min(1.0, (num_steps - step) / length) if length else 1.0
    return floor + (1 - floor) * left
