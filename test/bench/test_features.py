import numpy as np
import pytest

from zspex_toolkit.bench.features import Speeds, make_audio, measure, table
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.signal.front_end_config import DEMIXING


def test_the_table_shows_both_speeds_and_their_ratio():
    assert table(Speeds(600, 8000, 800, 6000, 750, 0.002)).splitlines()[2:] == [
        "| samples to features | 800 | 8000 | 10.0 |",
        "| wav.scp to archive | 750 | 6000 | 8.0 |",
        "",
        "600 s of audio; CPU time, without the start of Python; largest difference of a feature: 0.002",
    ]


def test_the_audio_made_has_the_seconds_asked_for(tmp_path):
    data = DataDir.load(make_audio(tmp_path / "data", seconds=12, fs=16000))
    assert sum(len(data.read_audio(utt)[0]) for utt in data.utterances) == 12 * 16000


def test_an_utterance_without_features_cannot_be_measured(tmp_path):
    write_audio(tmp_path / "a.wav", np.full(50, 0.1), 16000)
    write_data_dir(tmp_path / "data", wavs={"a-1": str(tmp_path / "a.wav")}, utt2spk={"a-1": "a"})
    with pytest.raises(DataDirError, match="data: 1 utterances are too short for a frame"):
        measure(tmp_path / "data", DEMIXING, out=tmp_path, num_runs=1)


@pytest.mark.slow
def test_it_measures_both_and_their_features_are_the_same(tmp_path):
    speeds = measure(make_audio(tmp_path / "data", seconds=60, fs=16000), DEMIXING, out=tmp_path, num_runs=1)
    assert speeds.largest_difference < 2e-2
    assert min(speeds.compute_ratio, speeds.command_ratio) > 0
