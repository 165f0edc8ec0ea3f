import tarfile
from pathlib import Path

import numpy as np
import pytest

from zspex_toolkit.data.extraction_trials import StoredTrials
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.table import write_table
from zspex_toolkit.prepare.pack_training import Config, pack_training

FS = 16000


@pytest.fixture
def trials(tmp_path, noise):
    """A trial directory of two trials of one mixture."""
    tables = {"wav.scp": {}, "spk1.scp": {}, "enroll_spk1.scp": {}, "utt2spk": {}, "utt2condition": {}}
    for number, trial in enumerate(("ann-mix", "bob-mix")):
        for name, part in (("wav.scp", "mix"), ("spk1.scp", f"target{number}"), ("enroll_spk1.scp", f"known{number}")):
            path = tmp_path / f"{part}.wav"
            write_audio(path, noise(FS, seed=len(part) + number), FS)
            tables[name][trial] = str(path)
        tables["utt2spk"][trial], tables["utt2condition"][trial] = trial[:3], "present"
    for name, table in tables.items():
        write_table(tmp_path / "trials" / name, table)
    return tmp_path / "trials"


def unpacked(tar, folder, monkeypatch):
    """Unpacked far from what was packed, and worked in there."""
    with tarfile.open(tar) as opened:
        opened.extractall(folder, filter="data")
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("kbits", [0, 32])
def test_utterances_come_out_as_they_went_in_or_almost(voices, tmp_path, monkeypatch, kbits):
    source = Waveforms(voices / "data" / "train", FS)
    pack_training(Config(out=tmp_path / "pack.tar", train=voices / "data" / "train", kbits=kbits))
    unpacked(tmp_path / "pack.tar", tmp_path / "there", monkeypatch)
    packed = Waveforms("train", FS)
    assert (list(packed.utterances), dict(packed.utt2spk)) == (list(source.utterances), dict(source.utt2spk))
    assert packed.utt2num_samples() == source.utt2num_samples()
    for utt in source.utterances:
        error, energy = np.square(packed[utt] - source[utt]).sum(), np.square(source[utt]).sum()
        assert error == 0 if not kbits else error < 0.2 * energy


def test_trials_noise_and_rooms_come_out_to_the_last_bit(voices, trials, tmp_path, monkeypatch, noise):
    write_audio(tmp_path / "rooms" / "hall.wav", noise(100), FS)
    folders = {"room_dir": tmp_path / "rooms", "noise_dir": voices / "audio"}
    config = Config(out=tmp_path / "pack.tar", train=voices / "data" / "train", valid=trials, **folders)
    pack_training(config)
    source = StoredTrials(trials, FS)
    unpacked(tmp_path / "pack.tar", tmp_path / "there", monkeypatch)
    packed = StoredTrials("valid", FS)
    assert list(packed.trials) == list(source.trials) == ["ann-mix", "bob-mix"]
    for index in range(2):
        ours, theirs = packed.get(0, index), source.get(0, index)
        for name in ("mixture", "target", "enrollment"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    for name, folder in (("rooms", folders["room_dir"]), ("noise", folders["noise_dir"])):
        assert {p.name: p.read_bytes() for p in Path(name).iterdir()} == {
            p.name: p.read_bytes() for p in folder.iterdir()
        }


def test_a_pack_that_is_too_large_is_not_written(voices, tmp_path):
    config = Config(out=tmp_path / "pack.tar", train=voices / "data" / "train", max_mib=0.01)
    with pytest.raises(ConfigError, match=r"pack.tar: would have 0\.\d MiB, more than max_mib 0.01"):
        pack_training(config)
    assert list(tmp_path.iterdir()) == []


def test_kilobits_that_the_codec_does_not_have_are_refused(voices, tmp_path):
    with pytest.raises(ConfigError, match="kbits: expected 0, or 6 to 256, got 300"):
        pack_training(Config(out=tmp_path / "x.tar", train=voices, kbits=300))


def test_a_rate_that_the_codec_does_not_have_is_one_line_and_flac_takes_it(tmp_path, noise):
    write_audio(tmp_path / "a.wav", noise(22050), 22050)
    (tmp_path / "train").mkdir()
    for name, rows in {"wav.scp": {"ann-1": str(tmp_path / "a.wav")}, "utt2spk": {"ann-1": "ann"}}.items():
        write_table(tmp_path / "train" / name, rows)
    with pytest.raises(DataDirError, match=r"ann-1: expected a rate of 8000, .* which Opus has, found 22050 Hz"):
        pack_training(Config(out=tmp_path / "x.tar", train=tmp_path / "train"))
    pack_training(Config(out=tmp_path / "x.tar", train=tmp_path / "train", kbits=0))
    with tarfile.open(tmp_path / "x.tar") as tar:
        assert "train/audio/0.flac" in tar.getnames()
