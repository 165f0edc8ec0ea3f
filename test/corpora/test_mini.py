"""The corpus that makes itself."""

import hashlib
import json
import sys
from importlib.metadata import version

import numpy as np
import pytest
import soundfile
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from zspex_toolkit.corpora import mini
from zspex_toolkit.errors import ConfigError, DataDirError, UserError
from zspex_toolkit.io.data_dir import DataDir


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(corpus folder, data directory) of four speakers with three sentences each."""
    root = tmp_path_factory.mktemp("mini")
    mini.prepare(root / "corpus", root / "data", num_speakers=4, num_utterances=3)
    return root / "corpus", root / "data" / "all"


def test_the_asked_number_of_men_and_women_speak_the_asked_number_of_sentences(made):
    data = DataDir.load(made[1])
    assert {spk: len(utts) for spk, utts in data.spk2utt.items()} == {f"spk00{n}": 3 for n in (1, 2, 3, 4)}
    assert data.table("spk2gender") == {"spk001": "m", "spk002": "f", "spk003": "m", "spk004": "f"}


def test_the_words_are_known_and_every_sentence_is_another(made):
    text = DataDir.load(made[1]).table("text")
    assert len(set(text.values())) == 12
    assert all(words.isupper() and len(words.split()) >= 9 for words in text.values())


def test_files_are_16_khz_16_bit_and_as_long_as_a_sentence(made):
    for path in (made[0] / "wav").rglob("*.wav"):
        info = soundfile.info(path)
        assert (info.samplerate, info.subtype, info.channels) == (16000, "PCM_16", 1)
        assert 1.5 < info.duration < 6


@pytest.mark.skipif(version("espeakng-loader") != "0.2.4", reason="the digest is that of espeakng-loader 0.2.4")
def test_the_bytes_are_the_same_on_every_machine(made):
    digest = hashlib.sha256()
    for path in sorted((made[0] / "wav").rglob("*.wav")):
        digest.update(path.read_bytes())
    assert digest.hexdigest() == "fc4c373f9ec7bde57ecebd4bf8a5c0a473b7a9260cb7e89ff23668d5ed8f32e4"


def test_what_is_there_is_used_again_with_its_own_size(made, tmp_path, capsys):
    stamps = {path: path.stat().st_mtime_ns for path in made[0].rglob("*")}
    mini.prepare(made[0], tmp_path)
    assert {path: path.stat().st_mtime_ns for path in made[0].rglob("*")} == stamps
    assert capsys.readouterr().out.startswith("mini: in 12, kept 12, dropped 0\n")


def test_another_size_is_refused_and_the_old_corpus_stays(made, tmp_path):
    with pytest.raises(ConfigError) as error:
        mini.prepare(made[0], tmp_path / "data", num_speakers=5)
    hint = "set --corpus_dir to a new folder, or remove this one"
    assert str(error.value) == f"mini: {made[0]} was made with num_speakers 4, not 5; {hint}"
    assert len(list((made[0] / "wav").rglob("*.wav"))) == 12


@pytest.mark.parametrize("option", ["num_speakers", "num_utterances"])
def test_a_size_below_one_is_refused(tmp_path, option):
    with pytest.raises(ConfigError, match=f"^mini: expected {option} of 1 or more, got 0$"):
        mini.prepare(tmp_path / "corpus", tmp_path / "data", **{option: 0})


def test_a_failure_in_the_middle_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail_at_the_second(voices, jobs):
        yield np.zeros(22050, dtype=np.int16)
        raise UserError("espeak-ng did not speak")

    monkeypatch.setattr(mini, "speak", fail_at_the_second)
    with pytest.raises(UserError):
        mini.prepare(tmp_path / "corpus", tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_without_the_wheel_a_corpus_that_is_there_still_serves(made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    assert mini.prepare(made[0], tmp_path / "data") == [tmp_path / "data" / "all"]
    with pytest.raises(UserError, match=r"needs the Python package espeakng-loader: install it \(pip install"):
        mini.prepare(tmp_path / "new", tmp_path / "data")


def test_a_spoilt_settings_file_says_what_to_do(tmp_path):
    (tmp_path / "mini.json").write_text("{")
    with pytest.raises(DataDirError, match=r"mini.json: not JSON .*; remove the folder to make it anew$"):
        mini.prepare(tmp_path, tmp_path / "data")


def test_the_settings_file_says_how_the_corpus_was_made(made):
    settings = json.loads((made[0] / "mini.json").read_text())
    assert settings == {"num_speakers": 4, "num_utterances": 3, "seed": 0}


def test_a_thousand_sentences_are_all_different_and_plain_words():
    sentences = mini.draw_sentences(np.random.default_rng(0), 1000)
    assert len(set(sentences)) == 1000
    assert all(9 <= len(sentence.split()) <= 11 for sentence in sentences)
    assert {letter for sentence in sentences for letter in sentence} <= set(" abcdefghijklmnopqrstuvwxyz")


def test_a_longer_list_begins_with_the_shorter_one():
    assert mini.draw_sentences(np.random.default_rng(3), 20)[:5] == mini.draw_sentences(np.random.default_rng(3), 5)


@pytest.mark.slow
def test_a_linear_classifier_tells_24_voices_apart_from_one_second(tmp_path):
    from zspex_toolkit.signal.mfcc import Mfcc, MfccConfig  # torch, which only this test needs

    mini.prepare(tmp_path / "corpus", tmp_path / "data")
    data, examples = DataDir.load(tmp_path / "data" / "all"), {"train": ([], []), "test": ([], [])}
    mfcc = Mfcc(MfccConfig(num_ceps=20, num_mel_bins=30))
    import torch

    for number, utt in enumerate(data.utterances):
        means, speakers = examples["test" if number % 4 == 0 else "train"]
        features = mfcc(torch.from_numpy(data.read_audio(utt)[0])[None], None)[0][0].numpy()[:, 1:]
        for start in range(0, len(features) - 99, 50):
            means.append(features[start : start + 100].mean(axis=0))
            speakers.append(data.utt2spk[utt])
    assert LinearDiscriminantAnalysis().fit(*examples["train"]).score(*examples["test"]) > 0.97
