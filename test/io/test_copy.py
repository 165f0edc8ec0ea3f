"""Copies under new names stay valid and name the same audio."""

import json

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.copy import copy_data_dir
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir


def test_without_prefixes_a_copy_is_equal(data, tmp_path, content):
    assert copy_data_dir(data, tmp_path / "out") == 4
    assert content(tmp_path / "out") == content(data)


def test_prefixes_go_before_utterances_and_speakers(data, tmp_path):
    (data / "utt2spk2").write_text("ann-1 bob\nann-2 bob\nbob-1 ann\nbob-2 ann\n")
    (data / "plan.jsonl").write_text("".join(f'{{"id": "{utt}", "fs": 1}}\n' for utt in read_table(data / "utt2spk")))
    copy_data_dir(data, tmp_path / "out", utt_prefix="rvb-", spk_prefix="rvb-")
    out = tmp_path / "out"
    assert validate_data_dir(out, check_audio=True) == []
    assert read_table(out / "utt2spk")["rvb-bob-1"] == "rvb-bob"
    assert read_table(out / "utt2spk2")["rvb-bob-1"] == "rvb-ann"
    assert read_table(out / "spk2gender") == {"rvb-ann": "f", "rvb-bob": "m"}
    assert read_table(out / "wav.scp")["rvb-bob-1"] == read_table(data / "wav.scp")["bob-1"]
    assert json.loads((out / "plan.jsonl").read_text().splitlines()[0]) == {"id": "rvb-ann-1", "fs": 1}


def test_recordings_keep_their_names_behind_segments(data, tmp_path):
    write_data_dir(
        tmp_path / "cut",
        wavs={"tape": read_table(data / "wav.scp")["bob-2"]},
        utt2spk={"zoe-1": "zoe"},
        segments={"zoe-1": ("tape", 0.1, 0.4)},
    )
    copy_data_dir(tmp_path / "cut", tmp_path / "out", utt_prefix="x-", spk_prefix="x-")
    assert DataDir.load(tmp_path / "out").segments == {"x-zoe-1": ("tape", 0.1, 0.4)}
    assert validate_data_dir(tmp_path / "out", check_audio=True) == []


def test_names_that_lose_the_order_by_speaker_are_refused(data, tmp_path):
    for name in ("text", "wav.scp", "utt2num_samples", "spk2gender", "spk2utt"):
        (data / name).unlink()
    (data / "utt2spk").write_text("ann-1 z\nann-2 z\nbob-1 bob\n")
    with pytest.raises(DataDirError, match=r"not sorted by speaker: 'bob' comes after 'z'.*; nothing was written"):
        copy_data_dir(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()
