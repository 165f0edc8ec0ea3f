"""Waveforms come out as they were stored, at the rate that was asked for."""

import numpy as np
import pytest

from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import AudioError


def test_16_bit_audio_is_kept_exactly(voices):
    waveforms = Waveforms(voices / "data" / "train", 16000)
    expected, _ = waveforms.data.read_audio("anna-00")
    for _ in range(2):  # from the file, then from memory
        assert np.array_equal(waveforms["anna-00"], expected)


def test_a_full_cache_forgets_and_reads_again(voices):
    waveforms = Waveforms(voices / "data" / "train", 16000, cache_bytes=1)
    first = waveforms["anna-00"]
    waveforms["bert-00"]
    assert np.array_equal(waveforms["anna-00"], first)


def test_lengths_are_known_without_decoding(voices):
    waveforms = Waveforms(voices / "data" / "train", 16000)
    assert waveforms.utt2num_samples() == dict.fromkeys(waveforms.utterances, 24000)


def test_another_rate_is_refused_with_both_numbers(voices):
    with pytest.raises(AudioError, match="expected 8000 Hz, found 16000 Hz"):
        Waveforms(voices / "data" / "train", 8000)["anna-00"]
