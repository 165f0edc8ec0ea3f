"""Tests of folders of recordings."""

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.simulation.recordings import Recordings


def test_audio_files_are_found_in_order_and_others_passed_over(tmp_path):
    write_audio(tmp_path / "b.flac", np.full(5, 0.5), 8000)
    write_audio(tmp_path / "a.WAV", np.full(7, 0.25), 8000)
    (tmp_path / "licence.txt").write_text("free\n")
    recordings = Recordings(tmp_path)
    assert recordings.lengths(8000) == {"a.WAV": 7, "b.flac": 5}
    assert recordings.read("b.flac", 8000).tolist() == [0.5] * 5


def test_another_rate_is_named(tmp_path):
    write_audio(tmp_path / "a.wav", np.ones(5), 44100)
    with pytest.raises(ConfigError, match=r"a\.wav: expected 16000 Hz, found 44100 Hz; resample it first"):
        Recordings(tmp_path).lengths(16000)


@pytest.mark.parametrize("folder", ["", "missing"])
def test_a_folder_without_audio_is_refused(tmp_path, folder):
    with pytest.raises(ConfigError, match="expected a folder with recordings"):
        Recordings(tmp_path / folder)
