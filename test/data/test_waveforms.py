"""Waveforms come out as they were stored, at the rate that was asked for."""

import numpy as np
import pytest

from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.write import write_data_dir


def test_16_bit_audio_is_kept_exactly(voices):
    waveforms = Waveforms(voices / "data" / "train", 16000)
    expected, _ = waveforms.data.read_audio("anna-00")
    for _ in range(2):  # from the file, then from memory
        assert np.array_equal(waveforms["anna-00"], expected)


def test_lengths_are_known_without_decoding(voices):
    waveforms = Waveforms(voices / "data" / "train", 16000)
    assert waveforms.utt2num_samples() == dict.fromkeys(waveforms.utterances, 24000)


def test_lengths_are_read_once_and_not_again_by_every_data_process(voices, monkeypatch):
    waveforms = Waveforms(voices / "data" / "train", 16000, cache_bytes=0)
    waveforms.utt2num_samples()
    monkeypatch.setattr(waveforms, "_read_lengths", lambda: pytest.fail("read again"))
    assert len(waveforms.part("anna-00", 0, 5)) == 5


@pytest.mark.parametrize("cache_bytes", [0, 2 << 30])
def test_a_part_is_the_same_from_the_file_and_from_memory(voices, cache_bytes):
    waveforms = Waveforms(voices / "data" / "train", 16000, cache_bytes=cache_bytes)
    whole, _ = waveforms.data.read_audio("anna-00")
    assert np.array_equal(waveforms.part("anna-00", 1000, 5000), whole[1000:5000])
    assert ("anna-00" in waveforms._cache) == bool(cache_bytes)
    with pytest.raises(AudioError, match="expected samples 23000 to 24001, found 24000 samples"):
        waveforms.part("anna-00", 23000, 24001)


def test_parts_of_segments_and_pipes_are_read_through_the_whole_utterance(voices, tmp_path):
    source = Waveforms(voices / "data" / "train", 16000)
    path = source.data.wavs["anna-00"]
    write_data_dir(
        tmp_path / "cut", wavs={"tape": path}, utt2spk={"anna-1": "anna"}, segments={"anna-1": ("tape", 0.5, 1.0)}
    )
    write_data_dir(tmp_path / "pipe", wavs={"anna-1": f"cat {path} |"}, utt2spk={"anna-1": "anna"})
    for name, first in (("cut", 8000), ("pipe", 0)):
        waveforms = Waveforms(tmp_path / name, 16000, cache_bytes=0)
        assert np.array_equal(waveforms.part("anna-1", 10, 20), source["anna-00"][first + 10 : first + 20])
