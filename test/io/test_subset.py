"""Subsets: who is chosen, and that all tables follow."""

import pytest

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.subset import Config, subset_data_dir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir


@pytest.fixture
def many(tmp_path):
    """Ten utterances of ann, three of bob."""
    utt2spk = {f"ann-{number}": "ann" for number in range(10)} | {f"bob-{number}": "bob" for number in range(3)}
    write_data_dir(tmp_path / "many", wavs={utt: f"{utt}.wav" for utt in utt2spk}, utt2spk=utt2spk)
    return tmp_path / "many"


def chosen(many, **choice) -> list[str]:
    counts = subset_data_dir(Config(many, many.parent / "out", **choice))
    utterances = DataDir.load(many.parent / "out").utterances
    assert counts == (13, len(utterances))
    assert validate_data_dir(many.parent / "out") == []
    return utterances


def test_the_first_are_the_first(many):
    assert chosen(many, first=2) == ["ann-0", "ann-1"]
    assert len(chosen(many, first=99)) == 13


def test_per_speaker_is_spread_evenly(many):
    assert chosen(many, per_speaker=5) == ["ann-0", "ann-2", "ann-4", "ann-6", "ann-8", "bob-0", "bob-1", "bob-2"]
    assert chosen(many, per_speaker=1) == ["ann-0", "bob-0"]


def test_listed_utterances_and_speakers(many, tmp_path):
    (tmp_path / "utts").write_text("bob-2\nann-3 and more\n")
    (tmp_path / "spks").write_text("bob\n")
    assert chosen(many, utterances=tmp_path / "utts") == ["ann-3", "bob-2"]
    assert chosen(many, speakers=tmp_path / "spks") == ["bob-0", "bob-1", "bob-2"]
    assert chosen(many, utterances=tmp_path / "utts", speakers=tmp_path / "spks") == ["bob-2"]


def test_all_tables_follow(data, tmp_path):
    (data / "frame_shift").write_text("0.01\n")
    subset_data_dir(Config(data, tmp_path / "out", first=2))
    assert validate_data_dir(tmp_path / "out", check_audio=True) == []
    assert read_table(tmp_path / "out" / "text") == {"ann-1": "WORDS OF ANN-1", "ann-2": "WORDS OF ANN-2"}
    assert read_table(tmp_path / "out" / "spk2gender") == {"ann": "f"}
    assert (tmp_path / "out" / "frame_shift").read_text() == "0.01\n"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, "choose utterances by at least one of: first, per_speaker, utterances, speakers"),
        ({"first": 0}, "first: expected a number of at least 1, got 0"),
        ({"per_speaker": -1}, "per_speaker: expected a number of at least 1, got -1"),
    ],
)
def test_a_choice_that_chooses_nothing_is_refused(many, tmp_path, choice, message):
    with pytest.raises(ConfigError, match=message):
        subset_data_dir(Config(many, tmp_path / "out", **choice))


def test_names_that_are_not_there_are_refused_with_their_line(many, tmp_path):
    (tmp_path / "list").write_text("bob-1\nzoe-7\n")
    with pytest.raises(DataDirError, match=f"list:2: 'zoe-7' is not an utterance of {many}"):
        subset_data_dir(Config(many, tmp_path / "out", utterances=tmp_path / "list"))
    (tmp_path / "list").write_text("zoe\n")
    with pytest.raises(DataDirError, match=f"list:1: 'zoe' is not a speaker of {many}"):
        subset_data_dir(Config(many, tmp_path / "out", speakers=tmp_path / "list"))
    assert not (tmp_path / "out").exists()


def test_choices_without_common_utterances_are_refused(many, tmp_path):
    (tmp_path / "utts").write_text("ann-1\n")
    (tmp_path / "spks").write_text("bob\n")
    with pytest.raises(DataDirError, match="no utterance fits the choice; nothing was written"):
        subset_data_dir(Config(many, tmp_path / "out", utterances=tmp_path / "utts", speakers=tmp_path / "spks"))
