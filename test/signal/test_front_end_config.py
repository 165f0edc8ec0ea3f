import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.signal.front_end_config import DEMIXING, MfccConfig, VadConfig


def test_an_upper_edge_of_zero_or_less_counts_from_half_the_sampling_rate():
    edges = [MfccConfig(fs=8000, high_hz=hz).upper_hz for hz in (0, -300, 3700)]
    assert edges == [4000, 3700, 3700]


def test_frames_are_cut_to_whole_samples_as_in_kaldi():
    config = MfccConfig(fs=11025)
    assert (config.frame_length, config.frame_shift) == (275, 110)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fs": 0}, "fs: expected a positive rate in Hz, got 0"),
        ({"num_ceps": 31}, "num_ceps: expected 1 to num_mel_bins = 30, got 31"),
        ({"num_mel_bins": 2, "num_ceps": 1}, "num_mel_bins: expected at least 3, got 2"),
        ({"window": "hann"}, "window: expected one of povey, hamming, hanning, .*, got hann"),
        ({"low_hz": 7700}, "low_hz: expected 0 to the upper edge 7600 Hz, got 7700"),
        ({"high_hz": 8001}, "high_hz: expected at most half the sampling rate 16000 Hz, got 8001"),
        ({"frame_length_ms": 0}, "frame_length_ms: expected one sample or more at 16000 Hz, got 0"),
        ({"frame_shift_ms": 0}, "frame_shift_ms: expected one sample to the length of a frame, got 0"),
        ({"frame_shift_ms": 26}, "frame_shift_ms: expected one sample to the length of a frame, got 26"),
        ({"dither": -1}, "dither: expected 0 or more, got -1"),
    ],
)
def test_an_impossible_value_is_named_with_what_is_possible(change, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        dataclasses.replace(DEMIXING, **change)


def test_without_snipping_a_third_of_a_shift_gives_no_frame_and_half_a_shift_gives_one():
    config = MfccConfig(snip_edges=False)
    assert [config.num_frames(n) for n in (0, 79, 80, 239, 240)] == [0, 0, 1, 1, 2]


@given(st.integers(0, 20_000), st.integers(1, 30), st.integers(1, 30))
def test_with_snipping_every_counted_frame_lies_within_the_signal_and_one_more_would_not(n, shift_ms, more_ms):
    config = MfccConfig(frame_length_ms=shift_ms + more_ms, frame_shift_ms=shift_ms)
    count = config.num_frames(n)
    assert count == 0 or (count - 1) * config.frame_shift + config.frame_length <= n
    assert count * config.frame_shift + config.frame_length > n


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames_context": -1}, "frames_context: expected 0 or more frames, got -1"),
        ({"proportion_threshold": 1.2}, "proportion_threshold: expected a share of 0 to 1, got 1.2"),
    ],
)
def test_an_impossible_setting_of_the_detector_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        VadConfig(**change)
