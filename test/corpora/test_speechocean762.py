"""speechocean762: tab-separated tables, two sets of disjoint speakers, paths relative to the root."""

import os

import numpy as np
import pytest
import soundfile

from zspex_toolkit.corpora import speechocean762
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.validate import validate_data_dir


def test_speakers_of_train_and_test_come_together(root, tmp_path):
    data = DataDir.load(speechocean762.prepare(root, tmp_path / "data")[0])
    assert {spk: len(utts) for spk, utts in data.spk2utt.items()} == dict.fromkeys(
        ("0001", "0003", "0005", "0019", "0023", "0040", "0049", "0094"), 8
    )
    assert data.wavs["0001-000010003"] == f"{root}/WAVE/SPEAKER0001/000010003.WAV"
    assert data.table("text")["0001-000010003"] == "WE SAY NUMBER 3"
    assert data.table("spk2gender")["0005"] == "f"
    assert data.table("spk2age")["0005"] == "13"


def test_the_own_sets_of_the_corpus_share_no_speaker(root, tmp_path):
    written = speechocean762.prepare(root, tmp_path / "data", own_sets=True)
    assert [path.name for path in written] == ["all", "train", "test"]
    train, test = (DataDir.load(path) for path in written[1:])
    assert sorted(train.spk2utt) == ["0001", "0005", "0019", "0023", "0040"]
    assert sorted(test.spk2utt) == ["0003", "0049", "0094"]
    assert len(train.utterances) + len(test.utterances) == len(DataDir.load(written[0]).utterances)
    assert validate_data_dir(written[2], other=written[1]) == []


def test_excluded_speakers_are_counted(root, tmp_path, capsys):
    speechocean762.prepare(root, tmp_path, exclude_speakers=("0001",))
    assert "in 64, kept 56, dropped 8 (speaker 0001 excluded: 8)" in capsys.readouterr().out
    assert "0001" not in (tmp_path / "all" / "spk2gender").read_text()


def test_a_speaker_to_exclude_must_exist(root, tmp_path):
    with pytest.raises(ConfigError, match=f"^speechocean762: no speaker '1' to exclude in {root}$"):
        speechocean762.prepare(root, tmp_path / "data", exclude_speakers=("1",))


def test_flac_copies_stand_in_for_the_originals(root, tmp_path):
    for path in (root / "WAVE").rglob("*.WAV"):
        soundfile.write(path.with_suffix(".flac"), soundfile.read(path)[0], 16000)
        path.unlink()
    data = DataDir.load(speechocean762.prepare(root, tmp_path / "data")[0])
    assert all(path.endswith(".flac") for path in data.wavs.values())


def test_broken_and_empty_files_are_dropped_by_name(root, tmp_path, capsys):
    (root / "WAVE/SPEAKER0001/000010000.WAV").write_bytes(b"noise")
    soundfile.write(root / "WAVE/SPEAKER0005/000050000.WAV", np.zeros(0), 16000)
    (root / "WAVE/SPEAKER0019/000190000.WAV").unlink()
    speechocean762.prepare(root, tmp_path)
    counts = "kept 61, dropped 3 (empty audio: 1, missing file: 1, unreadable audio: 1)"
    assert counts in capsys.readouterr().out
    assert (tmp_path / "dropped.txt").read_text() == (
        "0001-000010000 unreadable audio\n0005-000050000 empty audio\n0019-000190000 missing file\n"
    )


def test_a_malformed_line_is_named_with_file_and_line(root, tmp_path):
    lines = (root / "test/utt2spk").read_text().splitlines()
    lines[3] = "lonely"
    (root / "test/utt2spk").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataDirError, match=r"test/utt2spk:4: expected '<key><tab><value>', got 'lonely'$"):
        speechocean762.prepare(root, tmp_path / "data")


def test_an_utterance_in_both_sets_is_named_with_file_and_line(root, tmp_path):
    first = (root / "train/utt2spk").read_text().splitlines()[0]
    with open(root / "test/utt2spk", "a") as lines:
        lines.write(first + "\n")
    with pytest.raises(DataDirError, match=r"test/utt2spk:25: '000010000' is there twice in train and test$"):
        speechocean762.prepare(root, tmp_path / "data")


def test_half_a_corpus_says_which_file_is_missing(root, tmp_path):
    (root / "test/wav.scp").unlink()
    with pytest.raises(DataDirError, match=r"expected .*/test/wav.scp; is --corpus_dir the folder that holds train"):
        speechocean762.prepare(root, tmp_path / "data")


@pytest.mark.skipif("ZSPEX_SPEECHOCEAN762" not in os.environ, reason="set ZSPEX_SPEECHOCEAN762 to the corpus's root")
def test_the_real_corpus_is_valid_and_has_16_utterances_or_more_of_each_speaker(tmp_path):
    out = speechocean762.prepare(os.environ["ZSPEX_SPEECHOCEAN762"], tmp_path)[0]
    assert validate_data_dir(out, check_audio=True) == []
    assert min(len(utts) for utts in DataDir.load(out).spk2utt.values()) >= 16
