"""The split that shares no speaker."""

import numpy as np
import pytest
import soundfile

from zspex_toolkit.bin.hold_out_speakers import main
from zspex_toolkit.corpora._hold_out_speakers import hold_out_speakers
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir

GENDERS = {"ann": "f", "bea": "f", "cat": "f", "dan": "m", "eli": "m", "fay": "f"}


@pytest.fixture
def data(tmp_path):
    """Six speakers of two utterances, two of them men."""
    wav = tmp_path / "a.wav"
    soundfile.write(wav, 0.1 * np.sin(np.arange(160)), 16000)
    utt2spk = {f"{spk}-{number}": spk for spk in GENDERS for number in range(2)}
    write_data_dir(tmp_path / "all", wavs=dict.fromkeys(utt2spk, str(wav)), utt2spk=utt2spk, spk2gender=GENDERS)
    return tmp_path / "all"


def test_nobody_is_in_both_parts_and_every_utterance_in_one(data, tmp_path, capsys):
    train, test = hold_out_speakers(data, tmp_path / "train", tmp_path / "test", num_speakers=2)
    assert sorted([*train, *test]) == sorted(GENDERS)
    assert sorted(DataDir.load(tmp_path / "test").spk2utt) == test
    assert len(DataDir.load(tmp_path / "train").utterances) == 8
    assert validate_data_dir(tmp_path / "test", other=tmp_path / "train") == []
    line = "hold_out_speakers: in 12, train 8, test 4, dropped 0 (2 of 6 speakers in test alone)\n"
    assert capsys.readouterr().out == line


@pytest.mark.parametrize(("number", "women"), [(2, 1), (4, 2), (5, 3)])
def test_women_and_men_are_held_out_in_turn_while_both_last(data, tmp_path, number, women):
    _, test = hold_out_speakers(data, tmp_path / "train", tmp_path / "test", num_speakers=number)
    assert sum(GENDERS[spk] == "f" for spk in test) == women


def test_another_seed_is_another_draw_and_the_same_one_the_same(data, tmp_path):
    draws = [
        hold_out_speakers(data, tmp_path / "train", tmp_path / "test", num_speakers=2, seed=seed)[1]
        for seed in (0, 0, 1, 2, 3)
    ]
    assert draws[0] == draws[1]
    assert len({tuple(draw) for draw in draws}) > 1


def test_the_command_needs_no_place_for_the_others(data, tmp_path):
    main(["--data", str(data), "--test", str(tmp_path / "b"), "--num_speakers", "1"])
    assert len(DataDir.load(tmp_path / "b").spk2utt) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "all", "b"]


@pytest.mark.parametrize("number", [0, 6])
def test_a_part_without_speakers_is_refused(data, tmp_path, number):
    with pytest.raises(DataDirError) as error:
        hold_out_speakers(data, tmp_path / "train", tmp_path / "test", num_speakers=number)
    assert str(error.value) == (
        f"{data}: has 6 speakers; expected num_speakers from 1 to 5, got {number}; nothing was written"
    )
    assert not (tmp_path / "train").exists()


def test_the_input_is_never_overwritten(data, tmp_path):
    with pytest.raises(ConfigError, match="expected different directories"):
        hold_out_speakers(data, data, tmp_path / "test", num_speakers=2)
