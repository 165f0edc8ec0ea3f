"""Codecs give back what they were given, worse, and in time with it."""

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.simulation import codec as module
from zspex_toolkit.simulation.codec import CODECS, Codec, transcode


def voiced(fs: int, seconds: float) -> np.ndarray:
    """A harmonic sound below 3 kHz whose pitch and loudness move."""
    times = np.arange(round(seconds * fs)) / fs
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 2 * times)) / fs
    sound = sum(np.sin(number * phase) / number for number in range(1, 20))
    return (0.2 * sound * (1 + 0.5 * np.sin(2 * np.pi * 3 * times))).astype(np.float32)


def middle(name: str) -> float | None:
    return None if CODECS[name].compression is None else sum(CODECS[name].compression) / 2


def ratio_db(sound: np.ndarray, coded: np.ndarray) -> float:
    """Of the part of ``coded`` that is like ``sound`` over the rest."""
    same = sound * (coded @ sound) / (sound @ sound)
    return 10 * np.log10((same @ same) / ((coded - same) @ (coded - same)))


@pytest.mark.parametrize("fs", [8000, 16000, 44100])
@pytest.mark.parametrize("name", sorted(CODECS))
def test_what_comes_back_is_as_long_in_time_and_of_a_codecs_quality(name, fs):
    sound = voiced(fs, 0.7)
    coded = transcode(sound, fs, name, middle(name))
    assert coded.shape == sound.shape and coded.dtype == np.float32
    assert 8 < ratio_db(sound, coded) < 60
    shifts = [ratio_db(sound[20:-20], np.roll(coded, shift)[20:-20]) for shift in (-10, 0, 10)]
    assert np.argmax(shifts) == 1
    assert np.array_equal(coded, transcode(sound, fs, name, middle(name)))


@pytest.mark.parametrize("name", sorted(CODECS))
@pytest.mark.parametrize("num_samples", [1, 100])
def test_short_signals_keep_their_length(name, num_samples):
    coded = transcode(np.full(num_samples, 0.5), 16000, name, middle(name))
    assert coded.shape == (num_samples,) and np.isfinite(coded).all()


def test_a_higher_compression_level_is_worse():
    sound = voiced(16000, 1.0)
    for name, how in CODECS.items():
        if how.compression:
            most, least = (ratio_db(sound, transcode(sound, 16000, name, level)) for level in how.compression)
            assert most > least + 1


def test_an_unknown_codec_is_named():
    with pytest.raises(ConfigError, match=r"codec: expected one of mu_law, gsm, .* got 'morse'"):
        transcode(np.ones(10), 8000, "morse")


def test_a_codec_that_the_library_cannot_write_is_named(monkeypatch):
    monkeypatch.setitem(module.CODECS, "gsm", Codec("FLAC", "GSM610", (8000,)))
    with pytest.raises(ConfigError, match=r"codec gsm: libsndfile .* cannot code it"):
        transcode(np.ones(10), 8000, "gsm")
