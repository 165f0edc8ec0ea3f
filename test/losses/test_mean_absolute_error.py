"""Tests of the mean absolute error."""

import pytest
import torch

from zspex_toolkit.losses.mean_absolute_error import mean_absolute_error


def test_it_is_the_mean_over_batch_and_dimensions():
    estimate = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    reference = torch.tensor([[0.0, 2.0], [5.0, 3.0]])
    assert mean_absolute_error(estimate, reference).item() == 1.0  # (1 + 0 + 2 + 1) / 4


def test_unequal_shapes_are_refused_and_not_broadcast():
    with pytest.raises(ValueError, match=r"expected one shape, got \(2, 3\) and \(3,\)"):
        mean_absolute_error(torch.ones(2, 3), torch.ones(3))
