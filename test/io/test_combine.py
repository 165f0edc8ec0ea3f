"""Joining directories and copying them under new names: nothing is lost unsaid, nothing is joined that differs."""

import json

import pytest

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.combine import CombineConfig, CopyConfig, combine_data_dirs, copy_data_dir
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.split import Config as SplitConfig
from zspex_toolkit.io.split import split_data_dir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir


@pytest.fixture
def copied(data):
    """The directory once more, its speakers and utterances renamed."""
    copy_data_dir(CopyConfig(data, data.parent / "copied", utt_prefix="x-", spk_prefix="x-"))
    return data.parent / "copied"


@pytest.fixture
def cut(data, tmp_path):
    """A directory with a segment of the recording of bob-2."""
    write_data_dir(
        tmp_path / "cut",
        wavs={"tape": read_table(data / "wav.scp")["bob-2"]},
        utt2spk={"zoe-1": "zoe"},
        segments={"zoe-1": ("tape", 0.1, 0.4)},
    )
    return tmp_path / "cut"


def test_all_utterances_of_all_directories_are_there(data, copied, tmp_path):
    assert combine_data_dirs(CombineConfig([data, copied], tmp_path / "out")) == (8, [])
    assert validate_data_dir(tmp_path / "out", check_audio=True) == []
    assert list(DataDir.load(tmp_path / "out").spk2utt) == ["ann", "bob", "x-ann", "x-bob"]


def test_parts_join_to_the_whole(data, tmp_path, content):
    combine_data_dirs(CombineConfig(split_data_dir(SplitConfig(data, 4, per_utterance=True)), tmp_path / "out"))
    assert content(tmp_path / "out").items() <= content(data).items()


def test_a_table_that_one_directory_lacks_is_left_out_and_named(data, copied, tmp_path):
    (copied / "text").unlink()
    assert combine_data_dirs(CombineConfig([data, copied], tmp_path / "out")) == (
        8,
        [f"text is left out: not in {copied}"],
    )
    assert not (tmp_path / "out" / "text").exists()


def test_recordings_become_segments_where_others_have_them(data, cut, tmp_path):
    combine_data_dirs(CombineConfig([data, cut], tmp_path / "out"))
    assert validate_data_dir(tmp_path / "out", check_audio=True) == []
    joined, alone = DataDir.load(tmp_path / "out"), DataDir.load(data)
    assert joined.segments["ann-2"] == ("ann-2", 0, 0.6)
    assert joined.segments["zoe-1"] == ("tape", 0.1, 0.4)
    assert joined.read_audio("ann-2")[0].tolist() == alone.read_audio("ann-2")[0].tolist()


def test_an_utterance_in_two_directories_is_refused(data, tmp_path):
    with pytest.raises(
        DataDirError, match=r"data/utt2spk and .*data/utt2spk both have 'ann-1'; copy one with a prefix"
    ):
        combine_data_dirs(CombineConfig([data, data], tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_speaker_of_two_genders_is_refused(data, copied, tmp_path):
    (copied / "spk2gender").write_text("ann m\nx-ann f\nx-bob m\n")
    with pytest.raises(DataDirError, match="spk2gender differ on 'ann'"):
        combine_data_dirs(CombineConfig([data, copied], tmp_path / "out"))


def test_one_directory_is_nothing_to_join(data, tmp_path):
    with pytest.raises(ConfigError, match="data: expected two directories or more, got 1"):
        combine_data_dirs(CombineConfig([data], tmp_path / "out"))


def test_without_prefixes_a_copy_is_equal(data, tmp_path, content):
    assert copy_data_dir(CopyConfig(data, tmp_path / "out")) == 4
    assert content(tmp_path / "out") == content(data)


def test_prefixes_go_before_utterances_and_speakers(data, tmp_path):
    (data / "utt2spk2").write_text("ann-1 bob\nann-2 bob\nbob-1 ann\nbob-2 ann\n")
    (data / "plan.jsonl").write_text("".join(f'{{"id": "{utt}", "fs": 1}}\n' for utt in read_table(data / "utt2spk")))
    copy_data_dir(CopyConfig(data, tmp_path / "out", utt_prefix="rvb-", spk_prefix="rvb-"))
    out = tmp_path / "out"
    assert validate_data_dir(out, check_audio=True) == []
    assert read_table(out / "utt2spk")["rvb-bob-1"] == "rvb-bob"
    assert read_table(out / "utt2spk2")["rvb-bob-1"] == "rvb-ann"
    assert read_table(out / "spk2gender") == {"rvb-ann": "f", "rvb-bob": "m"}
    assert read_table(out / "wav.scp")["rvb-bob-1"] == read_table(data / "wav.scp")["bob-1"]
    assert json.loads((out / "plan.jsonl").read_text().splitlines()[0]) == {"id": "rvb-ann-1", "fs": 1}


def test_recordings_keep_their_names_behind_segments(cut, tmp_path):
    copy_data_dir(CopyConfig(cut, tmp_path / "out", utt_prefix="x-", spk_prefix="x-"))
    assert DataDir.load(tmp_path / "out").segments == {"x-zoe-1": ("tape", 0.1, 0.4)}
    assert validate_data_dir(tmp_path / "out", check_audio=True) == []


def test_names_that_lose_the_order_by_speaker_are_refused(data, tmp_path):
    for name in ("text", "wav.scp", "utt2num_samples", "spk2gender", "spk2utt"):
        (data / name).unlink()
    (data / "utt2spk").write_text("ann-1 z\nann-2 z\nbob-1 bob\n")
    with pytest.raises(DataDirError, match=r"not sorted by speaker: 'bob' comes after 'z'.*; nothing was written"):
        copy_data_dir(CopyConfig(data, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
