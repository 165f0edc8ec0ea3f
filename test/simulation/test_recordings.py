"""Tests of folders of recordings, read as they are, or at one rate: all at once or one by one."""

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.simulation.recordings import Recordings


def test_audio_files_are_found_in_order_and_others_passed_over(tmp_path):
    write_audio(tmp_path / "b.flac", np.full(5, 0.5), 8000)
    write_audio(tmp_path / "a.WAV", np.full(7, 0.25), 8000)
    (tmp_path / "licence.txt").write_text("free\n")
    recordings = Recordings(tmp_path, 8000)
    assert list(recordings.num_samples.items()) == [("a.WAV", 7), ("b.flac", 5)]
    assert recordings["b.flac"].tolist() == [0.5] * 5


@pytest.mark.parametrize("folder", ["", "missing"])
def test_a_folder_without_audio_is_refused(tmp_path, folder):
    with pytest.raises(ConfigError, match="expected a folder with recordings"):
        Recordings(tmp_path / folder, 8000)


@pytest.fixture
def folder(tmp_path):
    """`fan.wav`: a second of 0.5 at 8 kHz; `hum.wav`: a second of a tone at 16 kHz; `tap.wav`: 100 samples."""
    write_audio(tmp_path / "fan.wav", np.full(8000, 0.5), 8000)
    write_audio(tmp_path / "hum.wav", 0.5 * np.sin(2 * np.pi * 440 / 16000 * np.arange(16000)), 16000)
    write_audio(tmp_path / "tap.wav", np.full(100, 0.25), 8000)
    return tmp_path


@pytest.mark.parametrize("memory_bytes", [1 << 20, 0])
def test_recordings_are_the_same_from_memory_and_from_their_files(folder, memory_bytes):
    recordings = Recordings(folder, 8000, memory_bytes=memory_bytes)
    assert list(recordings) == ["fan.wav", "hum.wav", "tap.wav"]
    assert recordings.num_samples == {"fan.wav": 8000, "hum.wav": 8000, "tap.wav": 100}
    assert recordings["fan.wav"].tolist() == [0.5] * 8000
    tone = 0.5 * np.sin(2 * np.pi * 440 / 8000 * np.arange(8000))
    assert np.abs(recordings["hum.wav"] - tone)[400:-400].max() < 0.003


def test_those_that_fit_are_all_read_at_the_start(folder):
    recordings = Recordings(folder, 8000, memory_bytes=4 * 16100)
    for path in folder.glob("*.wav"):
        path.unlink()
    assert recordings["tap.wav"].tolist() == [0.25] * 100


def test_those_that_do_not_fit_are_read_when_asked_for_and_the_latest_kept(folder):
    recordings = Recordings(folder, 8000, memory_bytes=4 * 8100)
    for name in ("hum.wav", "fan.wav", "tap.wav"):
        recordings[name]
    (folder / "fan.wav").unlink()
    assert len(recordings["fan.wav"]) == 8000  # kept, with the short one
    assert recordings._samples.num_bytes <= 4 * 8100


def test_an_unknown_name_is_no_key(folder):
    with pytest.raises(KeyError, match=r"rain\.wav"):
        Recordings(folder, 8000)["rain.wav"]


def test_no_folder_is_no_recordings():
    recordings = Recordings(None, 8000)
    assert not recordings and recordings.num_samples == {} and "tap.wav" not in recordings
