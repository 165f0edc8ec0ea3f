"""Tests of the cosine distance."""

import pytest
import torch

from zspex_toolkit.losses.cosine_distance import cosine_distance


def test_same_opposite_and_orthogonal_embeddings_average_to_one():
    estimate = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    reference = torch.tensor([[5.0, 0.0], [-1.0, 0.0], [0.0, 3.0]])
    assert cosine_distance(estimate, reference).item() == pytest.approx(1.0)  # (0 + 2 + 1) / 3


def test_a_zero_estimate_gives_a_finite_gradient():
    estimate = torch.zeros(1, 4, requires_grad=True)
    cosine_distance(estimate, torch.ones(1, 4)).backward()
    assert torch.isfinite(estimate.grad).all()


def test_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match="expected one shape"):
        cosine_distance(torch.ones(2, 3), torch.ones(1, 3))
