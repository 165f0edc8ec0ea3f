"""Tests of speed perturbation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.simulation.speed import change_speed, num_samples_at_speed

FS = 16000


def tone(hz: float, num_samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(num_samples) / FS).astype(np.float32)


def test_a_tone_played_faster_is_higher_and_shorter():
    faster = change_speed(tone(1000, 16500), 1.1)
    assert len(faster) == 15000
    inner = slice(200, -200)  # away from the filter's edges
    assert np.abs(faster - tone(1100, 15000))[inner].max() < 1e-3


def test_slow_and_fast_again_is_the_same_signal():
    signal = tone(440, 8000) * np.hanning(8000).astype(np.float32)
    assert np.abs(change_speed(change_speed(signal, 0.8), 1.25) - signal).max() < 1e-3


def test_speed_one_changes_nothing():
    signal = tone(440, 100)
    assert np.array_equal(change_speed(signal, 1.0), signal)


@given(st.integers(1, 5000), st.sampled_from([0.5, 0.9, 0.95, 1.05, 1.1, 2.0]))
def test_the_length_is_the_one_foretold(num_samples, speed):
    assert len(change_speed(np.ones(num_samples), speed)) == num_samples_at_speed(num_samples, speed)


def test_a_speed_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"speed: expected a positive factor, got 0"):
        change_speed(np.ones(4), 0)
