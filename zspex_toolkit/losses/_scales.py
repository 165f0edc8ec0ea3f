"""Losses of networks that estimate the target at several scales: a weight for each."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from zspex_toolkit.errors import ConfigError

PUBLISHED = (0.8, 0.1, 0.1)  # SpEx+, eq. 12: of the short, the middle and the long scale


def sum_of_scales(estimates: Tensor, weights: tuple[float, ...], loss: Callable[[Tensor], Tensor]) -> Tensor:
    """Weighted sum over the scales of what ``loss`` makes of each, in at least single precision.

    A network with fewer estimates than there are weights takes the first of them, scaled to the sum of all: the one
    estimate of a network of one scale weighs 1 by the published weights.

    Args:
        estimates: (R, S, T).
        weights: of the scales, short to long.
        loss: (R, T) to (R,).

    Returns:
        (R,).

    Raises:
        ConfigError: for a weight that is negative or not finite, fewer weights than estimates, or none above 0.
        ValueError: if the estimates are no (R, S, T).

    >>> sum_of_scales(torch.tensor([[[3.0], [5.0]]]), (0.6, 0.4), lambda estimate: estimate[:, 0])
    tensor([3.8000])
    """
    if estimates.ndim != 3:
        raise ValueError(f"expected estimates (R, S, T), got {tuple(estimates.shape)}")
    count = estimates.shape[1]
    if not weights or not all(0 <= weight < math.inf for weight in weights):
        raise ConfigError(f"scales: expected weights of 0 or more, got {list(weights)}")
    if len(weights) < count:
        raise ConfigError(f"scales: expected {count} weights, one for each estimate of the network, got {len(weights)}")
    taken = weights[:count]
    if not sum(taken):
        raise ConfigError(f"scales: expected a weight above 0 for an estimate of the network, got {list(weights)}")
    factor = sum(weights) / sum(taken)
    rows = torch.zeros(len(estimates), device=estimates.device)
    for scale, weight in enumerate(taken):
        rows = rows + factor * weight * loss(estimates[:, scale].float())
    return rows
