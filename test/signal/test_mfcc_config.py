import dataclasses

import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.signal.mfcc_config import DEMIXING, MfccConfig


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
        ({"frame_shift_ms": 0}, "frame_shift_ms: expected one sample to the length of a frame, got 0"),
        ({"frame_shift_ms": 26}, "frame_shift_ms: expected one sample to the length of a frame, got 26"),
        ({"dither": -1}, "dither: expected 0 or more, got -1"),
    ],
)
def test_an_impossible_value_is_named_with_what_is_possible(change, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        dataclasses.replace(DEMIXING, **change)
