"""Tests of the energy that is left of a mixture."""

import pytest
import torch

from zspex_toolkit.signal.energy_left import energy_left_db


def test_it_bends_towards_its_floor_and_counts_the_samples_that_count():
    mixture = torch.ones(4, 100)
    estimate = torch.tensor([1.0, 0.1, 0.0, 1e-9])[:, None] * mixture
    left = energy_left_db(estimate, mixture, floor_db=-30.0)
    assert left.tolist() == pytest.approx([0.0043, -19.586, -30.0, -30.0], abs=1e-3)
    counted = energy_left_db(estimate, mixture, num_samples=torch.tensor([10, 50, 1, 100]), floor_db=-30.0)
    assert torch.allclose(counted, left, atol=1e-3)


def test_silence_of_both_is_finite():
    assert energy_left_db(torch.zeros(1, 8), torch.zeros(1, 8), floor_db=-30.0).item() == pytest.approx(-27, abs=0.1)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"got \(2, 8\) and \(1, 8\)"):
        energy_left_db(torch.zeros(2, 8), torch.zeros(1, 8))
