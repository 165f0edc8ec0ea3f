"""The command splits a prepared corpus; its two sizes exclude each other."""

import pytest

from zspex_toolkit.bin.make_fake_corpus import main as make_fake_corpus
from zspex_toolkit.bin.prepare_data import main as prepare_data
from zspex_toolkit.bin.split_speakers import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.data_dir import DataDir


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voxceleb")
    make_fake_corpus(["--corpus", "voxceleb", "--out", str(folder / "corpus")])
    prepare_data(["--corpus", "voxceleb", "--corpus_dir", str(folder / "corpus"), "--out", str(folder)])
    return folder / "all"


def options(data, out) -> list[str]:
    return ["--data", str(data), "--train", str(out / "train"), "--test", str(out / "test")]


def test_a_quarter_is_test_unless_said_otherwise(data, tmp_path):
    main(options(data, tmp_path))
    assert len(DataDir.load(tmp_path / "test").utterances) == 14


def test_a_number_of_each_speaker_can_be_asked_for(data, tmp_path):
    main([*options(data, tmp_path), "--test_per_speaker", "3", "--seed", "7"])
    assert {len(utts) for utts in DataDir.load(tmp_path / "test").spk2utt.values()} == {3}


def test_both_sizes_at_once_are_refused(data, tmp_path):
    with pytest.raises(ConfigError, match=r"not both$"):
        main([*options(data, tmp_path), "--test_per_speaker", "3", "--test_share", "0.5"])
