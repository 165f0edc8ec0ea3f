"""Splits: near-equal parts that together are the whole, made once."""

import os
import shutil
from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io import temporary
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.split import Config, near_equal_parts, split_data_dir
from zspex_toolkit.io.subset import Config as SubsetConfig
from zspex_toolkit.io.subset import subset_data_dir
from zspex_toolkit.io.validate import validate_data_dir


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=20), data=st.data())
def test_parts_are_whole_groups_in_order_none_empty_and_near_equal(sizes, data):
    groups = [[f"{group}-{member}" for member in range(size)] for group, size in enumerate(sizes)]
    num_parts = data.draw(st.integers(1, len(groups)))
    parts = near_equal_parts(groups, num_parts)
    assert [*chain(*parts)] == [*chain(*groups)]
    assert len(parts) == num_parts
    assert all(parts)
    of_group = [{name.split("-")[0] for name in part} for part in parts]
    assert sum(map(len, of_group)) == len(groups)
    assert max(map(len, parts)) <= sum(sizes) / num_parts + max(sizes)


def test_equal_speakers_are_dealt_equally():
    groups = [[f"{group}-{member}" for member in range(10)] for group in range(10)]
    assert [len(part) for part in near_equal_parts(groups, 4)] == [30, 20, 30, 20]
    assert [len(part) for part in near_equal_parts([["a"]] * 10, 3)] == [3, 4, 3]


def test_no_speaker_is_cut(data):
    one, two = split_data_dir(Config(data, 2))
    assert (one, two) == (data / "split2" / "1", data / "split2" / "2")
    assert DataDir.load(one).utterances == ["ann-1", "ann-2"]
    assert DataDir.load(two).utterances == ["bob-1", "bob-2"]
    assert all(validate_data_dir(part, check_audio=True) == [] for part in (one, two))


def test_utterances_may_be_dealt_singly(data):
    parts = split_data_dir(Config(data, 3, per_utterance=True))
    assert parts[0] == data / "split3utt" / "1"
    assert [*chain(*(DataDir.load(part).utterances for part in parts))] == DataDir.load(data).utterances


def test_a_split_is_kept_until_its_source_changes(data):
    first = split_data_dir(Config(data, 2))[0] / "text"
    made = os.stat(first).st_ino
    split_data_dir(Config(data, 2))
    assert os.stat(first).st_ino == made
    (data / "text").write_text((data / "text").read_text().replace("WORDS", "OTHER WORDS"))
    split_data_dir(Config(data, 2))
    assert first.read_text().startswith("ann-1 OTHER WORDS")
    assert sorted(os.listdir(data / "split2")) == [".source.json", "1", "2"]


SPLIT = """
from pathlib import Path
from zspex_toolkit.io.split import Config, split_data_dir
split_data_dir(Config(Path(sys.argv[1]), 2))
"""


@pytest.mark.slow
def test_killed_at_any_renaming_splitting_again_gives_the_split_and_leaves_nothing_else(
    data, tmp_path, content, killed_at_renaming
):
    split_data_dir(Config(data, 2))
    (data / "text").write_text((data / "text").read_text().replace("WORDS", "OTHER WORDS"))
    expected = shutil.copytree(data, tmp_path / "whole")
    split_data_dir(Config(expected, 2))
    expected = {path: text for path, text in content(expected).items() if path.name != ".source.json"}
    for number in count(1):
        again = shutil.copytree(data, tmp_path / str(number))
        killed = killed_at_renaming(number, SPLIT, again)
        killed_at_renaming(0, SPLIT, again)
        found = {path: text for path, text in content(again).items() if path.name != ".source.json"}
        assert found == expected and not list(again.glob(".*"))
        if not killed:
            break
    assert number > 2 * 6


def test_an_old_split_that_a_kill_left_aside_goes_though_the_new_one_is_kept(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zspex_toolkit.io.temporary.shutil.rmtree", lambda *args, **options: None)  # killed before it
        split_data_dir(Config(data, 2))
        (data / "text").write_text((data / "text").read_text().replace("WORDS", "OTHER WORDS"))
        split_data_dir(Config(data, 2))
    assert len(list(data.glob(".split2.*"))) == 1
    temporary._temporaries_in.cache_clear()
    split_data_dir(Config(data, 2))
    assert not list(data.glob(".*"))


@pytest.mark.parametrize(("nj", "per_utterance", "what"), [(3, False, "2 speakers"), (5, True, "4 utterances")])
def test_more_parts_than_there_are_is_refused(data, nj, per_utterance, what):
    with pytest.raises(ConfigError, match=f"cannot split {data} into {nj} parts, it has {what}"):
        split_data_dir(Config(data, nj, per_utterance=per_utterance))
    assert not list(data.glob("*split*"))


@pytest.mark.parametrize("nj", [0, -1])
def test_a_number_of_parts_is_one_or_more(data, nj):
    with pytest.raises(ConfigError, match=f"nj: expected 1 part or more, got {nj}"):
        split_data_dir(Config(data, nj))


def test_one_speaker_is_no_plural(data, tmp_path):
    subset_data_dir(SubsetConfig(data, tmp_path / "ann", first=2))
    with pytest.raises(ConfigError, match="into 2 parts, it has 1 speaker; more parts need per_utterance"):
        split_data_dir(Config(tmp_path / "ann", 2))
