"""Tests of speed, rooms and stretches of noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.simulation.perturb import change_speed, num_samples_at_speed, reverberate, stretch


def tone(hz: float, num_samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(num_samples) / 16000).astype(np.float32)


def test_a_tone_played_faster_is_higher_and_shorter():
    faster = change_speed(tone(1000, 16500), 1.1)
    assert len(faster) == 15000
    inner = slice(200, -200)  # away from the filter's edges
    assert np.abs(faster - tone(1100, 15000))[inner].max() < 1e-3


def test_speed_one_changes_nothing():
    signal = tone(440, 100)
    assert np.array_equal(change_speed(signal, 1.0), signal)


@given(st.integers(1, 5000), st.sampled_from([0.5, 0.9, 0.95, 1.05, 1.1, 2.0]))
def test_the_length_is_the_one_foretold(num_samples, speed):
    assert len(change_speed(np.ones(num_samples), speed)) == num_samples_at_speed(num_samples, speed)


def test_an_echo_is_added_where_the_response_has_it():
    # Direct sound 0.8 after two samples of silence, echo 0.6 two samples later; energy 1 already.
    wet = reverberate(np.array([1.0, 0, 0, 0, 0]), np.array([0, 0, 0.8, 0, 0.6]))
    assert wet.tolist() == pytest.approx([0.8, 0, 0.6, 0, 0], abs=1e-6)


@pytest.mark.parametrize("loudness", [1, 100])
def test_a_room_is_convolved_with_whatever_its_loudness(loudness):
    rng = np.random.default_rng(0)
    dry = rng.standard_normal(300)
    response = np.concatenate([[9.0], rng.standard_normal(80)])
    direct = np.convolve(dry, response / np.linalg.norm(response))[:300]
    assert np.abs(reverberate(dry, loudness * response) - direct).max() < 1e-5


def test_a_stretch_of_noise_is_cut_out_and_goes_on_at_the_beginning():
    assert stretch(np.arange(10), 3, 4).tolist() == [3, 4, 5, 6]
    assert stretch(np.arange(3), 2, 8).tolist() == [2, 0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(
    ("perturb", "message"),
    [
        (lambda: change_speed(np.ones(4), 0), "speed: expected a positive factor, got 0"),
        (lambda: reverberate(np.ones(4), np.zeros(3)), "impulse response is silent"),
        (lambda: reverberate(np.ones(4), np.zeros(0)), "impulse response is silent"),
        (lambda: stretch(np.zeros(0), 0, 4), "noise recording is empty"),
    ],
)
def test_what_cannot_be_done_is_named(perturb, message):
    with pytest.raises(ValueError, match=message):
        perturb()
