"""A resampled data directory: the same speech at another rate, one file an utterance."""

import numpy as np
import pytest

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import check_data_dir
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.resample_data_dir import Config, resample_data_dir


def tone(hz: float, fs: int, seconds: float = 0.5) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz / fs * np.arange(round(seconds * fs)))


@pytest.fixture
def data(tmp_path):
    """ann-1 has 440 Hz at a rate of 16 kHz, bob-1 600 Hz at 44.1 kHz."""
    wavs = {"ann-1": str(tmp_path / "a.wav"), "bob-1": str(tmp_path / "b.flac")}
    write_audio(wavs["ann-1"], tone(440, 16000), 16000)
    write_audio(wavs["bob-1"], tone(600, 44100), 44100)
    write_data_dir(
        tmp_path / "data",
        wavs=wavs,
        utt2spk={utt: utt[:3] for utt in wavs},
        text=dict.fromkeys(wavs, "HELLO"),
        spk2gender={"ann": "f", "bob": "m"},
        tables={"utt2num_samples": {"ann-1": 8000, "bob-1": 22050}, "feats.scp": dict.fromkeys(wavs, "f.ark:1")},
    )
    return tmp_path / "data"


def test_pitch_and_duration_stay(data, tmp_path):
    resample_data_dir(Config(data, tmp_path / "out", tmp_path / "dump"))
    for utt, hz in (("ann-1", 440), ("bob-1", 600)):
        samples, fs = read_audio(read_table(tmp_path / "out" / "wav.scp")[utt])
        assert (fs, len(samples)) == (8000, 4000)
        assert np.abs(samples[400:-400] - tone(hz, 8000)[400:-400]).max() < 0.003


def test_the_directory_is_valid_and_says_nothing_of_the_old_audio(data, tmp_path):
    resample_data_dir(Config(data, tmp_path / "out", tmp_path / "dump", fs=8000, nj=2))
    assert not check_data_dir(tmp_path / "out", check_audio=True, fs=8000).faults
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"wav.scp", "utt2spk", "spk2utt", "spk2gender", "text", "utt2num_samples"}
    assert read_table(tmp_path / "out" / "utt2num_samples") == {"ann-1": "4000", "bob-1": "4000"}


RESAMPLE = """
from pathlib import Path
from zspex_toolkit.prepare.resample_data_dir import Config, resample_data_dir
resample_data_dir(Config(*map(Path, sys.argv[1:])))
"""


def test_killed_at_any_renaming_resampling_again_gives_the_same_files_and_leaves_no_other(
    data, tmp_path, content, killed_at_renaming
):
    killed_at_renaming(0, RESAMPLE, data, tmp_path / "whole" / "out", tmp_path / "whole" / "dump")
    expected = {path: text for path, text in content(tmp_path / "whole").items() if path.name != "wav.scp"}
    for number in range(1, 4):  # the note and two wavs
        root = tmp_path / str(number)
        assert killed_at_renaming(number, RESAMPLE, data, root / "out", root / "dump")
        assert len(list(root.rglob(".*"))) == 1
        killed_at_renaming(0, RESAMPLE, data, root / "out", root / "dump")
        assert {path: text for path, text in content(root).items() if path.name != "wav.scp"} == expected


def test_segments_become_files(data, tmp_path):
    write_data_dir(
        tmp_path / "cut",
        wavs={"tape": str(tmp_path / "a.wav")},
        utt2spk={"ann-1": "ann", "ann-2": "ann"},
        segments={"ann-1": ("tape", 0, 0.2), "ann-2": ("tape", 0.25, 0.5)},
    )
    resample_data_dir(Config(tmp_path / "cut", tmp_path / "out", tmp_path / "dump"))
    assert read_table(tmp_path / "out" / "utt2num_samples") == {"ann-1": "1600", "ann-2": "2000"}
    assert not (tmp_path / "out" / "segments").exists()


def test_what_is_there_is_kept_and_what_is_missing_made(data, tmp_path, capsys):
    resample_data_dir(Config(data, tmp_path / "out", tmp_path / "dump"))
    kept, lost = (tmp_path / "dump" / "wav" / f"{utt}.wav" for utt in ("ann-1", "bob-1"))
    before = kept.stat().st_mtime_ns
    lost.unlink()
    resample_data_dir(Config(data, tmp_path / "out", tmp_path / "dump"))
    assert "2 utterances in, 1 resampled to 8000 Hz, 1 already there, 0 dropped" in capsys.readouterr().out
    assert kept.stat().st_mtime_ns == before and lost.exists()


def test_files_of_another_rate_are_made_anew(data, tmp_path):
    for fs in (8000, 12000):
        resample_data_dir(Config(data, tmp_path / "out", tmp_path / "dump", fs=fs))
        assert not check_data_dir(tmp_path / "out", check_audio=True, fs=fs).faults


def test_peaks_above_full_scale_are_cut_and_told(tmp_path, capsys):
    square = np.sign(tone(440, 16000)) * 32767 / 32768
    write_audio(tmp_path / "a.wav", square, 16000)
    write_data_dir(tmp_path / "data", wavs={"ann-1": str(tmp_path / "a.wav")}, utt2spk={"ann-1": "ann"})
    resample_data_dir(Config(tmp_path / "data", tmp_path / "out", tmp_path / "dump"))
    assert "1 utterances had peaks above full scale, cut" in capsys.readouterr().out


def test_broken_audio_is_named_and_no_directory_written(data, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"ann-1: .*a\.wav: not readable as audio"):
        resample_data_dir(Config(data, tmp_path / "out", tmp_path / "dump"))
    assert not (tmp_path / "out").exists()


def test_a_directory_is_not_resampled_onto_itself(data, tmp_path):
    with pytest.raises(ConfigError, match="out: expected another place than the input"):
        resample_data_dir(Config(data, data, tmp_path / "dump"))
    with pytest.raises(ConfigError, match="fs: expected a rate above 0 Hz, got 0"):
        resample_data_dir(Config(data, tmp_path / "out", tmp_path / "dump", fs=0))


def test_recordings_that_lie_in_the_dump_folder_already_are_refused_and_kept(tmp_path):
    source = tmp_path / "corpus" / "wav" / "ann-1.wav"
    write_audio(source, tone(440, 16000), 16000)
    write_data_dir(tmp_path / "data", wavs={"ann-1": str(source)}, utt2spk={"ann-1": "ann"})
    with pytest.raises(ConfigError, match=r"corpus/wav holds other wavs, such as ann-1\.wav; give another"):
        resample_data_dir(Config(tmp_path / "data", tmp_path / "out", tmp_path / "corpus"))
    assert read_audio(source)[1] == 16000
