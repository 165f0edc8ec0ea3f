"""Tests of the loss of what is left where the enrolled speaker is absent."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses.absent_energy import absent_energy


def test_it_is_the_mean_level_of_the_absent_rows_and_a_present_target_counts_as_zero():
    mixture = torch.ones(4, 100)
    estimates = torch.tensor([0.1, 0.01, 1.0, 0.5])[:, None, None] * mixture[:, None]
    present = torch.tensor([False, False, True, True])
    loss = absent_energy(estimates, mixture, present, None, floor_db=-80.0)
    assert loss.item() == pytest.approx((-20 - 40) / 4, abs=1e-3)


def test_every_scale_is_to_be_silent():
    mixture = torch.ones(1, 100)
    estimates = torch.tensor([0.1, 0.01])[:, None] * mixture
    loss = absent_energy(estimates[None], mixture, torch.tensor([False]), None, scales=(0.75, 0.25), floor_db=-80.0)
    assert loss.item() == pytest.approx(-0.75 * 20 - 0.25 * 40, abs=1e-3)


def test_quieter_than_the_floor_gains_nothing():
    mixture, absent = torch.ones(1, 100), torch.tensor([False])
    values = [absent_energy(level * mixture[:, None], mixture, absent, None).item() for level in (1e-4, 1e-9, 0.0)]
    assert values == pytest.approx([-30.0, -30.0, -30.0], abs=1e-3)


def test_a_floor_that_is_not_below_zero_is_refused():
    with pytest.raises(ConfigError, match="floor_db: expected a finite number below 0, got 0"):
        absent_energy(torch.ones(1, 1, 4), torch.ones(1, 4), torch.tensor([False]), None, floor_db=0.0)
