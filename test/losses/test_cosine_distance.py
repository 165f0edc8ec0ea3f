"""Tests of the cosine distance."""

import pytest
import torch

from zspex_toolkit.losses.cosine_distance import cosine_distance


def test_same_opposite_and_orthogonal_embeddings_average_to_one():
    estimate = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    reference = torch.tensor([[5.0, 0.0], [-1.0, 0.0], [0.0, 3.0]])
    assert cosine_distance(estimate, reference).item() == pytest.approx(1.0)  # (0 + 2 + 1) / 3
