"""The split that shares all speakers, and the one that shares none."""

import numpy as np
import pytest
import soundfile

from zspex_toolkit.bin.hold_out_speakers import main
from zspex_toolkit.corpora.support.speaker_splits import HoldOutConfig, SplitConfig, hold_out_speakers, split_speakers
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir

SIZES = {"ann": 8, "bea": 8, "cat": 2, "dot": 5}
GENDERS = {"ann": "f", "bea": "f", "cat": "f", "dan": "m", "eli": "m", "fay": "f"}


@pytest.fixture
def split(tmp_path):
    """``split(speakers, option=...)``: the counts of each speaker's utterances in train and in test."""

    def run(speakers: dict[str, int] = SIZES, **options) -> tuple[dict[str, int], dict[str, int]]:
        split_speakers(SplitConfig(write_speakers(tmp_path / "all", speakers), *parts(tmp_path), **options))
        return tuple(sizes_of(path) for path in parts(tmp_path))

    return run


@pytest.fixture
def hold_out(tmp_path):
    """``hold_out(number)``: the speakers of test, out of six with two utterances each."""

    def run(number: int, seed: int = 0) -> list[str]:
        data = write_speakers(tmp_path / "all", dict.fromkeys(GENDERS, 2), GENDERS)
        hold_out_speakers(HoldOutConfig(data, tmp_path / "test", number, tmp_path / "train", seed))
        return sorted(sizes_of(tmp_path / "test"))

    return run


def parts(tmp_path):
    return tmp_path / "train", tmp_path / "test"


def write_speakers(path, sizes: dict[str, int], genders: dict[str, str] | None = None):
    """A data directory in which each speaker has so many utterances."""
    utt2spk = {f"{spk}-{number:02d}": spk for spk, size in sizes.items() for number in range(size)}
    wav = path.parent / "a.wav"
    soundfile.write(wav, 0.1 * np.sin(np.arange(160)), 16000)
    write_data_dir(
        path,
        wavs=dict.fromkeys(utt2spk, str(wav)),
        utt2spk=utt2spk,
        text={utt: f"WORDS OF {utt}" for utt in utt2spk},
        spk2gender=genders or dict.fromkeys(sizes, "f"),
    )
    return path


def sizes_of(path) -> dict[str, int]:
    return {spk: len(utts) for spk, utts in DataDir.load(path).spk2utt.items()}


def test_timit_s_six_and_two(split):
    assert split({"mcpm0": 8, "fadg0": 8}, test_per_speaker=2) == (
        {"fadg0": 6, "mcpm0": 6},
        {"fadg0": 2, "mcpm0": 2},
    )


def test_a_quarter_is_rounded_at_least_one_and_taken_where_nothing_is_said(split, capsys):
    assert split() == split(test_share=0.25)
    assert split()[1] == {"ann": 2, "bea": 2, "cat": 1, "dot": 1}
    line = "split_speakers: in 23, train 17, test 6, dropped 0 (4 speakers in both)\n"
    assert capsys.readouterr().out == 3 * line


def test_a_large_share_leaves_every_speaker_one_to_train(split):
    assert split(test_share=0.9)[0] == {"ann": 1, "bea": 1, "cat": 1, "dot": 1}


def test_both_parts_are_valid_and_together_the_whole(split, tmp_path):
    split()
    found = [DataDir.load(path) for path in parts(tmp_path)]
    assert all(validate_data_dir(part.path, check_audio=True) == [] for part in found)
    assert sorted(utt for part in found for utt in part.utterances) == DataDir.load(tmp_path / "all").utterances
    assert all(part.table("text")[utt] == f"WORDS OF {utt}" for part in found for utt in part.utterances)


def test_a_speaker_s_draw_depends_on_the_seed_and_not_on_the_others(split, tmp_path):
    def drawn(**options):
        split(**options)
        return DataDir.load(tmp_path / "test").spk2utt["ann"]

    assert drawn() == drawn(speakers={"ann": 8, "zoe": 4})
    assert len({tuple(drawn(seed=seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ({"ann": 3, "bob": 1}, {}, "1 utterance; with 1 to test and one to train, it needs 2 or more"),
        (
            {"ann": 3, "bob": 2},
            {"test_per_speaker": 2},
            "2 utterances; with 2 to test and one to train, it needs 3 or more",
        ),
    ],
)
def test_a_speaker_with_too_few_utterances_is_named_with_file_and_line(split, tmp_path, sizes, options, message):
    with pytest.raises(DataDirError) as error:
        split(sizes, **options)
    assert str(error.value) == f"{tmp_path}/all/utt2spk:4: speaker 'bob' has {message}; nothing was written"
    assert not any(path.exists() for path in parts(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_share": 0.0}, "expected --test_share between 0 and 1, got 0"),
        ({"test_share": float("nan")}, "expected --test_share between 0 and 1, got nan"),
        ({"test_per_speaker": 0}, "expected --test_per_speaker of 1 or more, got 0"),
        ({"test_share": 0.5, "test_per_speaker": 1}, "give either --test_share or --test_per_speaker, not both"),
    ],
)
def test_a_senseless_size_is_one_clear_line(split, options, message):
    with pytest.raises(ConfigError) as error:
        split(**options)
    assert str(error.value) == message


def test_the_input_is_never_overwritten(tmp_path):
    data = write_speakers(tmp_path / "all", SIZES)
    with pytest.raises(ConfigError, match="expected another place than the input"):
        split_speakers(SplitConfig(data, tmp_path / "test" / ".." / "all", tmp_path / "test"))
    with pytest.raises(ConfigError, match="expected another place than the input"):
        hold_out_speakers(HoldOutConfig(data, tmp_path / "test", 2, data))
    assert sizes_of(data) == SIZES


def test_nobody_is_in_both_parts_and_every_utterance_in_one(hold_out, tmp_path, capsys):
    test = hold_out(2)
    assert sorted([*sizes_of(tmp_path / "train"), *test]) == sorted(GENDERS)
    assert set(sizes_of(tmp_path / "train").values()) == set(sizes_of(tmp_path / "test").values()) == {2}
    assert validate_data_dir(tmp_path / "test", other=tmp_path / "train") == []
    line = "hold_out_speakers: in 12, train 8, test 4, dropped 0 (2 of 6 speakers in test alone)\n"
    assert capsys.readouterr().out == line


@pytest.mark.parametrize(("number", "women"), [(2, 1), (4, 2), (5, 3)])
def test_women_and_men_are_held_out_in_turn_while_both_last(hold_out, number, women):
    assert sum(GENDERS[spk] == "f" for spk in hold_out(number)) == women


def test_another_seed_is_another_draw_and_the_same_one_the_same(hold_out):
    draws = [tuple(hold_out(2, seed)) for seed in (0, 0, 1, 2, 3)]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 1


def test_the_command_needs_no_place_for_the_others(tmp_path):
    data = write_speakers(tmp_path / "all", SIZES)
    main(["--data", str(data), "--test", str(tmp_path / "b"), "--num_speakers", "1"])
    assert len(sizes_of(tmp_path / "b")) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "all", "b"]


@pytest.mark.parametrize("number", [0, 6])
def test_a_part_without_speakers_is_refused(hold_out, tmp_path, number):
    with pytest.raises(DataDirError) as error:
        hold_out(number)
    assert str(error.value) == (
        f"{tmp_path}/all: has 6 speakers; expected num_speakers from 1 to 5, got {number}; nothing was written"
    )
    assert not (tmp_path / "train").exists()


def test_one_speaker_cannot_be_held_out_of_none(tmp_path):
    data = write_speakers(tmp_path / "all", {next(iter(SIZES)): 3})
    with pytest.raises(DataDirError, match="all: has one speaker; expected two or more, to hold some out"):
        hold_out_speakers(HoldOutConfig(data, tmp_path / "test", 1))
