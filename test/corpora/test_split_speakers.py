"""The random re-split of every speaker's utterances."""

import numpy as np
import pytest
import soundfile

from zspex_toolkit.corpora._split_speakers import split_speakers
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir


def write_speakers(path, sizes: dict[str, int]):
    """A data directory in which each speaker has so many utterances."""
    utt2spk = {f"{spk}-{number:02d}": spk for spk, size in sizes.items() for number in range(size)}
    wav = path.parent / "a.wav"
    soundfile.write(wav, 0.1 * np.sin(np.arange(160)), 16000)
    write_data_dir(
        path,
        wavs=dict.fromkeys(utt2spk, str(wav)),
        utt2spk=utt2spk,
        text={utt: f"WORDS OF {utt}" for utt in utt2spk},
        spk2gender=dict.fromkeys(sizes, "f"),
    )
    return path


@pytest.fixture
def data(tmp_path):
    return write_speakers(tmp_path / "all", {"ann": 8, "bea": 8, "cat": 2, "dot": 5})


def sizes_of(path) -> dict[str, int]:
    return {spk: len(utts) for spk, utts in DataDir.load(path).spk2utt.items()}


def test_timit_s_six_and_two(data, tmp_path):
    write_speakers(tmp_path / "timit", {"mcpm0": 8, "fadg0": 8})
    split_speakers(tmp_path / "timit", tmp_path / "train", tmp_path / "test", test_per_speaker=2)
    assert sizes_of(tmp_path / "train") == {"fadg0": 6, "mcpm0": 6}
    assert sizes_of(tmp_path / "test") == {"fadg0": 2, "mcpm0": 2}


def test_a_quarter_is_rounded_and_at_least_one(data, tmp_path, capsys):
    assert split_speakers(data, tmp_path / "train", tmp_path / "test", test_share=0.25) == (17, 6)
    assert sizes_of(tmp_path / "test") == {"ann": 2, "bea": 2, "cat": 1, "dot": 1}
    line = "split_speakers: in 23, train 17, test 6, dropped 0 (4 speakers in both)\n"
    assert capsys.readouterr().out == line


def test_a_large_share_leaves_every_speaker_one_to_train(data, tmp_path):
    split_speakers(data, tmp_path / "train", tmp_path / "test", test_share=0.9)
    assert sizes_of(tmp_path / "train") == {"ann": 1, "bea": 1, "cat": 1, "dot": 1}


def test_both_parts_are_valid_and_together_the_whole(data, tmp_path):
    split_speakers(data, tmp_path / "train", tmp_path / "test")
    parts = [DataDir.load(tmp_path / name) for name in ("train", "test")]
    assert all(validate_data_dir(part.path, check_audio=True) == [] for part in parts)
    assert sorted(utt for part in parts for utt in part.utterances) == DataDir.load(data).utterances
    assert all(part.table("text")[utt] == f"WORDS OF {utt}" for part in parts for utt in part.utterances)


def test_a_speaker_s_draw_does_not_depend_on_the_others(data, tmp_path):
    split_speakers(data, tmp_path / "train", tmp_path / "test")
    write_speakers(tmp_path / "fewer", {"ann": 8, "zoe": 4})
    split_speakers(tmp_path / "fewer", tmp_path / "train2", tmp_path / "test2")
    assert DataDir.load(tmp_path / "test").spk2utt["ann"] == DataDir.load(tmp_path / "test2").spk2utt["ann"]


def test_another_seed_is_another_draw(data, tmp_path):
    split_speakers(data, tmp_path / "train", tmp_path / "test")
    split_speakers(data, tmp_path / "train1", tmp_path / "test1", seed=1)
    assert DataDir.load(tmp_path / "test").utterances != DataDir.load(tmp_path / "test1").utterances


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        (
            {"ann": 3, "bob": 1},
            {},
            "speaker 'bob' has 1 utterance; with 1 to test and one to train, it needs 2 or more",
        ),
        (
            {"ann": 3, "bob": 2},
            {"test_per_speaker": 2},
            "speaker 'bob' has 2 utterances; with 2 to test and one to train, it needs 3 or more",
        ),
    ],
)
def test_a_speaker_with_too_few_utterances_is_named_with_file_and_line(tmp_path, sizes, options, message):
    data = write_speakers(tmp_path / "all", sizes)
    with pytest.raises(DataDirError) as error:
        split_speakers(data, tmp_path / "train", tmp_path / "test", **options)
    assert str(error.value) == f"{data}/utt2spk:4: {message}; nothing was written"
    assert not (tmp_path / "train").exists()
    assert not (tmp_path / "test").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_share": 0.0}, "expected --test_share between 0 and 1, got 0"),
        ({"test_share": float("nan")}, "expected --test_share between 0 and 1, got nan"),
        ({"test_per_speaker": 0}, "expected --test_per_speaker of 1 or more, got 0"),
        ({"test_share": 0.5, "test_per_speaker": 1}, "give either --test_share or --test_per_speaker, not both"),
    ],
)
def test_a_senseless_size_is_one_clear_line(data, tmp_path, options, message):
    with pytest.raises(ConfigError) as error:
        split_speakers(data, tmp_path / "train", tmp_path / "test", **options)
    assert str(error.value) == message


def test_the_input_is_never_overwritten(data, tmp_path):
    with pytest.raises(ConfigError, match="expected three different directories"):
        split_speakers(data, tmp_path / "test" / ".." / "all", tmp_path / "test")
    assert sizes_of(data)["ann"] == 8
