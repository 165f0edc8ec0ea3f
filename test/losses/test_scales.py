"""Tests of the weights of a network's scales."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses._scales import PUBLISHED, sum_of_scales


def summed(count, weights):
    """Scales that cost 1, 10 and 100, of two rows, the second twice as dear."""
    costs = torch.tensor([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])[:, :count, None]
    return sum_of_scales(costs, weights, lambda estimate: estimate[:, 0]).tolist()


@pytest.mark.parametrize(
    ("count", "weights", "expected"),
    [
        (3, PUBLISHED, 0.8 + 1 + 10),  # those of SpEx+: 0.8, 0.1, 0.1
        (1, PUBLISHED, 1.0),  # one estimate weighs as much as all weights together
        (2, (0.6, 0.2, 0.8), 1.6 * (0.75 + 2.5)),  # two share what all weights sum to
        (2, (0.0, 2.0), 20.0),  # a scale may weigh nothing
    ],
)
def test_scales_are_weighted_and_missing_ones_leave_their_weight_to_the_others(count, weights, expected):
    assert summed(count, weights) == pytest.approx([expected, 2 * expected])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((), r"scales: expected weights of 0 or more, got \[\]"),
        ((-1.0, 1.0, 1.0), r"scales: expected weights of 0 or more, got \[-1.0, 1.0, 1.0\]"),
        ((0.9, 0.1), "scales: expected 3 weights, one for each estimate of the network, got 2"),
    ],
)
def test_wrong_weights_are_named(weights, message):
    with pytest.raises(ConfigError, match=message):
        summed(3, weights)
