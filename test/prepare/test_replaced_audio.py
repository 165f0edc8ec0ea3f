"""Audio that was replaced in place, as by a repaired download, is noticed by all that was made from it."""

import os

import numpy as np
import pytest

from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare import pack_audio, plan_mixtures, plan_trials, render_mixtures, render_trials
from zspex_toolkit.prepare import resample_data_dir as resample

FS = 8000
UTTS = [f"{spk}-{number}" for spk in ("ann", "bob") for number in range(3)]


@pytest.fixture
def data(tmp_path, noise):
    for number, utt in enumerate(UTTS):
        write_audio(tmp_path / "w" / f"{utt}.wav", noise(FS, seed=number), FS)
    wavs = {utt: str(tmp_path / "w" / f"{utt}.wav") for utt in UTTS}
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk={utt: utt[:3] for utt in UTTS})
    return tmp_path / "data"


def resampled(data, root):
    resample.resample_data_dir(resample.Config(data, root / "out", root / "dump", fs=4000))
    return root / "out"


def packed(data, root):
    pack_audio.pack_audio(pack_audio.PackConfig(data, root / "out", root / "dump", per_shard=2))
    return root / "out"


def mixed(data, root):
    if not (root / "mix").exists():
        plan_mixtures.plan_data_dir(plan_mixtures.Config(data, root / "mix"))
    render_mixtures.render_data_dir(render_mixtures.Config(root / "mix", data, root / "dump", store_sources=True))
    return root / "mix"


def tried(data, root):
    if not (root / "trials").exists():
        plan_trials.plan_trial_dir(plan_trials.Config(data, root / "trials"))
    render_trials.render_trial_dir(render_trials.Config(root / "trials", data, root / "dump"))
    return root / "trials"


def sounds(folder):
    """All audio that the tables of a directory name."""
    tables = [name for name in ("wav.scp", "spk1.scp", "spk2.scp", "enroll_spk1.scp") if (folder / name).exists()]
    return {(name, key): read_audio(path)[0] for name in tables for key, path in read_table(folder / name).items()}


def replace(path, samples):
    before = os.stat(path).st_mtime_ns
    write_audio(path, samples, FS)
    os.utime(path, ns=(before, before + 1_000_000))


@pytest.mark.parametrize("make", [resampled, packed, mixed, tried])
def test_audio_of_the_same_name_and_length_is_not_taken_for_the_old_one(data, tmp_path, make):
    before = sounds(make(data, tmp_path))
    for utt in UTTS:
        path = DataDir.load(data).wavs[utt]
        replace(path, 0.5 * read_audio(path)[0])
    after = sounds(make(data, tmp_path))
    assert before.keys() == after.keys()
    assert not any(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("make", [resampled, packed, mixed, tried])
def test_what_did_not_change_is_made_once(data, tmp_path, make, capsys):
    make(data, tmp_path)
    files = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "dump").rglob("*") if path.suffix in (".wav", ".ark")
    }
    make(data, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_of_resampled_wavs_only_those_of_the_replaced_recording_are_made_again(data, tmp_path, noise, capsys):
    before = sounds(resampled(data, tmp_path))
    replace(DataDir.load(data).wavs["bob-1"], noise(FS, seed=9))
    capsys.readouterr()
    after = sounds(resampled(data, tmp_path))
    assert "1 resampled to 4000 Hz, 5 already there" in capsys.readouterr().out
    changed = [key for _, key in before if not np.array_equal(before["wav.scp", key], after["wav.scp", key])]
    assert changed == ["bob-1"]
