"""Microphones: filters that act on each signal alone, distortion of their sum."""

import json

import numpy as np
import pytest

from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.channel import Channel, colour, distort, draw_channel, impulse_response

NOISE = (0.1 * rng_for(0, "noise").standard_normal(8000)).astype(np.float32)
SLOW = np.sin(2 * np.pi * 150 * np.arange(8000) / 16000) * np.linspace(0.2, 0.6, 8000)


def gain_db(channel: Channel, hz: float) -> float:
    response = impulse_response(channel)
    return 20 * np.log10(abs(response @ np.exp(-2j * np.pi * hz / channel.fs * np.arange(len(response)))))


def test_a_flat_equaliser_is_a_factor():
    # 20 log10 2 dB everywhere: twice the signal.
    channel = Channel(16000, (100.0, 1000.0), (20 * np.log10(2),) * 2)
    assert np.allclose(colour(channel, NOISE), 2 * NOISE, atol=1e-5)


def test_the_equaliser_goes_through_its_points_and_is_straight_between_them():
    channel = Channel(16000, (250.0, 1000.0, 4000.0), (-6.0, 0.0, 8.0))
    for hz, expected in ((250, -6), (500, -3), (1000, 0), (2000, 4), (4000, 8), (7000, 8)):
        assert gain_db(channel, hz) == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("fs", [8000, 16000, 48000])
def test_limits_lose_3_db_at_their_frequency_and_nothing_in_the_band(fs):
    channel = Channel(fs, low_hz=300.0, high_hz=3400.0)
    assert [gain_db(channel, hz) for hz in (300, 3400)] == pytest.approx([-3.01, -3.01], abs=0.1)
    assert gain_db(channel, 1000) == pytest.approx(0, abs=0.1)
    assert gain_db(channel, 75) < -20 and gain_db(channel, 3900) < -20


def test_nothing_sounds_before_its_cause():
    click = np.zeros(2000, dtype=np.float32)
    click[700] = 1
    heard = colour(Channel(16000, (200.0, 2000.0), (5.0, -8.0), low_hz=200.0, high_hz=5000.0), click)
    assert np.abs(heard[:700]).max() < 1e-4 and np.abs(heard[700:720]).max() > 0.2


def test_the_filter_of_a_sum_is_the_sum_of_the_filtered():
    channel = draw_channel(rng_for(3), 16000)
    parts = colour(channel, np.stack([NOISE, SLOW]))
    assert parts.shape == (2, 8000) and parts.dtype == np.float32
    assert np.allclose(parts.sum(0), colour(channel, NOISE + SLOW), atol=1e-5)
    assert np.allclose(parts[0], np.convolve(NOISE, impulse_response(channel))[:8000], atol=1e-5)


def test_a_microphone_without_points_and_limits_changes_nothing():
    assert np.array_equal(colour(Channel(16000), NOISE), NOISE)
    assert np.array_equal(distort(Channel(16000), NOISE), NOISE)


def test_a_clipped_signal_is_flat_at_the_level_asked_for():
    clipped = distort(Channel(16000, clip_db=6.0), SLOW)
    limit = np.abs(SLOW).max() * 10 ** (-6 / 20)
    assert (
        np.allclose(clipped, np.clip(SLOW, -limit, limit), atol=1e-6) and (np.abs(clipped) > 0.999 * limit).sum() > 100
    )


@pytest.mark.parametrize(
    "channel",
    [
        Channel(16000, clip_db=8.0),
        Channel(16000, codec="gsm"),
        Channel(16000, clip_db=3.0, codec="mp3", compression=0.9),
    ],
)
def test_distortion_does_not_depend_on_the_level(channel):
    distorted = distort(channel, SLOW)
    assert not np.allclose(distorted, SLOW, atol=1e-3)
    assert np.allclose(distort(channel, 2.0**-9 * SLOW), 2.0**-9 * distorted, atol=1e-7)


def test_silence_stays_silent():
    silence = np.zeros(300, dtype=np.float32)
    channel = Channel(16000, (100.0, 900.0), (3.0, -3.0), clip_db=3.0, codec="mu_law")
    assert not colour(channel, silence).any() and not distort(channel, silence).any()


@pytest.mark.parametrize(("fs", "highest"), [(8000, 3920.0), (16000, 7840.0), (48000, 7900.0)])
def test_drawn_microphones_are_of_many_kinds_and_follow_from_their_generator(fs, highest):
    drawn = [draw_channel(rng_for(1, key), fs) for key in range(300)]
    assert drawn == [draw_channel(rng_for(1, key), fs) for key in range(300)] and len(set(drawn)) == 300
    assert all(np.abs(channel.equaliser_db).max() < 18 and abs(sum(channel.equaliser_db)) < 0.1 for channel in drawn)
    assert all(sorted(channel.equaliser_hz) == list(channel.equaliser_hz) for channel in drawn)
    highs = [channel.high_hz for channel in drawn if channel.high_hz]
    assert 100 < len(highs) < 200 and min(highs) >= 3000 and max(highs) <= highest
    lows = [channel.low_hz for channel in drawn if channel.low_hz]
    assert 180 < len(lows) < 270 and min(lows) >= 50 and max(lows) == 300
    assert 30 < sum(channel.clip_db is not None for channel in drawn) < 90
    coded = [channel for channel in drawn if channel.codec]
    assert 60 < len(coded) < 120 and {c.codec for c in coded} == {"mu_law", "gsm", "adpcm", "vorbis", "mp3", "opus"}
    assert all(c.high_hz == 3400 for c in coded if c.codec in ("mu_law", "gsm"))


def test_a_microphone_is_read_from_json_as_it_was_written():
    for key in range(20):
        channel = draw_channel(rng_for(key), 16000)
        assert Channel(**json.loads(json.dumps(vars(channel)))) == channel


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"codec": "morse"}, "codec 'morse': expected one of mu_law, "),
        ({"equaliser_hz": (100.0,)}, "equaliser: 1 frequencies, 0 gains"),
    ],
)
def test_a_microphone_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Channel(16000, **options)
