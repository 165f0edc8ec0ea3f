"""Tests of voiced samples."""

import numpy as np
import pytest

from zspex_toolkit.simulation.activity import active_samples


def test_decisions_are_spread_over_their_samples_and_the_last_to_the_end():
    assert active_samples(np.array([1.0, 0.0, 1.0]), 8, 2).tolist() == [
        True,
        True,
        False,
        False,
        True,
        True,
        True,
        True,
    ]


def test_decisions_beyond_the_signal_are_left_out():
    assert active_samples(np.array([0.0, 1.0, 1.0]), 3, 2).tolist() == [False, False, True]


def test_no_decisions_are_refused():
    with pytest.raises(ValueError, match="no voice activity decisions"):
        active_samples(np.zeros(0), 3, 2)
