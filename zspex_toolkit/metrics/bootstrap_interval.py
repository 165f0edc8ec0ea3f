"""Bootstrap confidence interval of a mean."""

from __future__ import annotations

import numpy as np

from zspex_toolkit.randomness import rng_for

__all__ = ["bootstrap_interval"]


def bootstrap_interval(
    values: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    num_draws: int = 1000,
    share: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of the mean over trials, from resampling with replacement.

    Args:
        values: (n,) one number per trial, 0 or 1 for an accuracy.
        groups: (n,) label of each trial, such as its speaker: whole groups are then drawn, because trials of one
            speaker are not independent. The mean stays that over trials.
        num_draws: number of resamples.
        share: probability that the interval covers.
        seed: the interval follows from it and the values alone.

    Returns:
        Lower and upper end.

    Raises:
        ValueError: if there are no values, or not one label for each.

    Reference: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    >>> bootstrap_interval(np.ones(5))
    (1.0, 1.0)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"expected one value per trial and at least one trial, got shape {values.shape}")
    labels = np.arange(len(values)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    if labels.shape != values.shape:
        raise ValueError(f"expected a group for each of {len(values)} values, got {labels.shape}")
    totals, sizes = np.bincount(labels, weights=values), np.bincount(labels)
    rng = rng_for(seed, "bootstrap")
    means = np.empty(num_draws)
    for draw in range(num_draws):
        drawn = rng.integers(len(sizes), size=len(sizes))
        means[draw] = totals[drawn].sum() / sizes[drawn].sum()
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
