import numpy as np
import pytest

from zspex_toolkit.signal.resample import resample


def tone(frequency, fs):
    """One second of a sine."""
    return np.sin(2 * np.pi * frequency * np.arange(fs) / fs)


@pytest.mark.parametrize(("fs_in", "fs_out"), [(44100, 16000), (8000, 16000), (16000, 8000), (48000, 16000)])
def test_a_tone_stays_the_same_tone_at_another_rate(fs_in, fs_out):
    out = resample(tone(440, fs_in), fs_in, fs_out)
    assert (out.dtype, len(out)) == (np.float32, fs_out)
    inner = slice(fs_out // 10, -fs_out // 10)
    np.testing.assert_allclose(out[inner], tone(440, fs_out)[inner], atol=1e-4)


def test_what_the_new_rate_cannot_hold_is_removed():
    assert np.abs(resample(tone(6000, 16000), 16000, 8000)[800:-800]).max() < 1e-4


def test_equal_rates_leave_the_samples_untouched():
    samples = np.random.default_rng(0).normal(size=100).astype(np.float32)
    assert np.array_equal(resample(samples, 16000, 16000), samples)


@pytest.mark.parametrize(("rates", "name"), [((0, 16000), "fs_in"), ((16000, -1), "fs_out")])
def test_a_rate_that_is_none_is_refused(rates, name):
    with pytest.raises(ValueError, match=f"{name}: expected a positive rate in Hz"):
        resample(np.zeros(10), *rates)
