"""Tests of reverberation."""

import numpy as np
import pytest

from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.room import reverberate


def test_an_echo_is_added_where_the_response_has_it():
    # Direct sound 0.8 after two samples of silence, echo 0.6 two samples later; energy 1 already.
    wet = reverberate(np.array([1.0, 0, 0, 0, 0]), np.array([0, 0, 0.8, 0, 0.6]))
    assert wet.tolist() == pytest.approx([0.8, 0, 0.6, 0, 0], abs=1e-6)


def test_it_equals_direct_convolution():
    rng = np.random.default_rng(0)
    dry = rng.standard_normal(300)
    response = np.concatenate([[9.0], rng.standard_normal(80)])
    direct = np.convolve(dry, response / np.linalg.norm(response))[:300]
    assert np.abs(reverberate(dry, response) - direct).max() < 1e-5


def test_white_noise_keeps_its_power():
    rng = np.random.default_rng(0)
    dry = rng.standard_normal(40000)
    response = np.concatenate([[1.0], 0.2 * rng.standard_normal(200)])
    assert power(reverberate(dry, response)) == pytest.approx(power(dry), rel=0.05)


def test_the_loudness_of_the_response_does_not_matter():
    dry, response = np.arange(5.0), np.array([1.0, 0.5])
    assert reverberate(dry, 100 * response).tolist() == pytest.approx(reverberate(dry, response).tolist())


@pytest.mark.parametrize("response", [np.zeros(3), np.zeros(0)])
def test_a_silent_response_is_refused(response):
    with pytest.raises(ValueError, match="impulse response is silent"):
        reverberate(np.ones(4), response)
