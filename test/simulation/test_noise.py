"""Tests of noise stretches."""

import numpy as np
import pytest

from zspex_toolkit.simulation.noise import stretch


def test_a_stretch_inside_the_recording_is_cut_from_it():
    assert stretch(np.arange(10), 3, 4).tolist() == [3, 4, 5, 6]


def test_a_stretch_past_the_end_goes_on_at_the_beginning():
    assert stretch(np.arange(3), 2, 8).tolist() == [2, 0, 1, 2, 0, 1, 2, 0]


def test_an_empty_recording_is_refused():
    with pytest.raises(ValueError, match="noise recording is empty"):
        stretch(np.zeros(0), 0, 4)
