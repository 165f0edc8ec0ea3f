"""Tests of the weights of a network's scales."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses._scales import PUBLISHED, sum_of_scales


def summed(count, weights):
    """Scales that cost 1, 10 and 100, of two rows, the second twice as dear."""
    costs = torch.tensor([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])[:, :count, None]
    return sum_of_scales(costs, weights, lambda estimate: estimate[:, 0]).tolist()


def test_the_published_weights_are_those_of_spex_plus():
    assert summed(3, PUBLISHED) == pytest.approx([0.8 + 1 + 10, 2 * 11.8])


def test_one_estimate_weighs_as_much_as_all_weights_together():
    assert summed(1, PUBLISHED) == pytest.approx([1.0, 2.0])


def test_two_estimates_share_what_all_weights_sum_to():
    assert summed(2, (0.6, 0.2, 0.8)) == pytest.approx([1.6 * (0.75 + 2.5), 3.2 * (0.75 + 2.5)])


def test_a_scale_may_weigh_nothing():
    assert summed(2, (0.0, 2.0)) == pytest.approx([20.0, 40.0])


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
