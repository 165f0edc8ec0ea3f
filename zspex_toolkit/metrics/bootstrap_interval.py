"""Bootstrap confidence interval of a mean."""

from __future__ import annotations

import numpy as np

from zspex_toolkit.randomness import rng_for

_NUM_DRAWS = 1000
_ENDS = ((1 - 0.95) / 2, (1 + 0.95) / 2)
_DRAWN_AT_ONCE = 2_000_000  # numbers; bounds the memory


def bootstrap_interval(values: np.ndarray, *, groups: np.ndarray | None = None) -> tuple[float, float]:
    """Percentile interval that covers the mean over trials with a probability of 95 %, from 1000 resamples.

    It follows from the values alone: the resamples are always drawn alike.

    Args:
        values: (n,) one number per trial, 0 or 1 for an accuracy.
        groups: (n,) label of each trial, such as its speaker: whole groups are then drawn, because trials of one
            speaker are not independent. The mean stays that over trials.

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
    low, high = bootstrap_intervals(values[:, None], groups=groups)[0]
    return float(low), float(high)


def bootstrap_intervals(values: np.ndarray, *, groups: np.ndarray | None = None) -> np.ndarray:
    """Intervals of many measures of the same trials, from the same resamples: one pass for all of them.

    Args:
        values: (n, M), NaN where a trial lacks a measure: the mean is over those that have it.
        groups: as for :func:`bootstrap_interval`.

    Returns:
        (M, 2) lower and upper ends, NaN for a measure that no trial has.

    Raises:
        ValueError: if there are no trials, or not one label for each.

    >>> bootstrap_intervals(np.array([[2.0, 1.0], [2.0, np.nan]])).tolist()
    [[2.0, 2.0], [1.0, 1.0]]
    """
    values = np.asarray(values, dtype=np.float64)
    labels = np.arange(len(values)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    if not len(values) or labels.shape != values.shape[:1]:
        raise ValueError(f"expected a group for each of {len(values)} values, at least one, got {labels.shape}")
    totals, counts = (_sum_by(labels, part) for part in (np.nan_to_num(values), ~np.isnan(values)))  # (G, M)
    rng = rng_for(0, "bootstrap")
    means, size = [], len(totals)
    for first in range(0, _NUM_DRAWS, step := max(_DRAWN_AT_ONCE // size, 1)):
        rows = min(step, _NUM_DRAWS - first)
        drawn = rng.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)
        with np.errstate(invalid="ignore"):
            means.append((times @ totals) / (times @ counts))  # (rows, M), NaN where none was drawn that has it
    return np.array([_quantiles(column[~np.isnan(column)]) for column in np.concatenate(means).T])


def _sum_by(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums (G, M) of the rows of (n, M) that have each label."""
    sums = np.zeros((labels.max() + 1, values.shape[1]))
    np.add.at(sums, labels, values)
    return sums


def _quantiles(means: np.ndarray) -> np.ndarray:
    return np.quantile(means, _ENDS) if len(means) else np.full(len(_ENDS), np.nan)
