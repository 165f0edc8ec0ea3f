import numpy as np
import pytest

from zspex_toolkit.signal.resample import resample, resample_blocks


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


def in_blocks(samples, size):
    return [samples[start : start + size, None] for start in range(0, len(samples), size)]


@pytest.mark.parametrize(("fs_in", "fs_out"), [(44100, 8000), (8000, 44100), (16000, 8000), (8000, 8000)])
@pytest.mark.parametrize("size", [777, 50000])
def test_block_by_block_gives_what_all_at_once_gives(fs_in, fs_out, size):
    samples = np.random.default_rng(0).normal(size=2 * fs_in).astype(np.float32)
    blocks = list(resample_blocks(in_blocks(samples, size), fs_in, fs_out, 2 * fs_out))
    np.testing.assert_allclose(np.concatenate(blocks)[:, 0], resample(samples, fs_in, fs_out), atol=1e-5)


def test_blocks_of_two_channels_keep_them_apart():
    left, right = tone(440, 16000), tone(1000, 16000)
    both = np.stack([left, right], axis=1).astype(np.float32)
    out = np.concatenate(list(resample_blocks([both[:5000], both[5000:]], 16000, 8000, 8000)))
    np.testing.assert_allclose(out[800:-800, 1], tone(1000, 8000)[800:-800], atol=1e-4)


@pytest.mark.parametrize("num_samples", [30, 1, 300])
def test_blocks_have_the_asked_length(num_samples):
    out = np.concatenate(list(resample_blocks([np.ones((100, 2), np.float32)], 16000, 8000, num_samples)))
    assert out.shape == (num_samples, 2)
    assert not out[60:].any()
