"""A recogniser is trained by CTC, goes on where it was stopped, and refuses what it cannot learn from."""

import dataclasses

import pytest
import safetensors.torch
import torch
from support.tone_recogniser import OPTIONS, tone_config, write_tones

from zspex_toolkit.errors import ConfigError, DataDirError, UserError
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.models.recognisers.conformer_ctc import Recognition
from zspex_toolkit.tasks.recognition import CtcLoss, load_recogniser, train_recogniser
from zspex_toolkit.train.history import read_history

pytest.importorskip("sentencepiece")


def assert_same(one, other):
    one, other = safetensors.torch.load_file(one), safetensors.torch.load_file(other)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_tones(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def other_text(data, tmp_path):
    """The data with another ``text``."""

    def make(change):
        for name in ("wav.scp", "utt2spk", "spk2utt"):
            write_table(tmp_path / "data/train" / name, read_table(data / "data/train" / name))
        write_table(tmp_path / "data/train/text", change(read_table(data / "data/train/text")), allow_empty=True)
        return dataclasses.replace(tone_config(data, tmp_path / "exp"), data=tmp_path / "data/train")

    return make


def log_probs(*rows):
    return torch.tensor(rows, dtype=torch.float32)[None].log()


class Fixed:
    def __init__(self, *scores, intermediate=()):
        self.found = Recognition(scores[0], torch.tensor([scores[0].shape[1]]), list(intermediate))

    def __call__(self, waveforms, num_samples):
        return self.found


BATCH = {
    **{"ids": ["a"], "waveforms": None, "num_samples": None},
    **{"tokens": torch.tensor([[1]]), "num_tokens": torch.tensor([1])},
}


def test_the_loss_is_that_of_all_alignments():
    scores = log_probs([0.5, 0.5], [0.25, 0.75])  # of the four paths only blank, blank is wrong
    value, report = CtcLoss()(Fixed(scores), BATCH)
    assert value.item() == pytest.approx(-torch.tensor(1 - 0.125).log().item())
    assert report["loss_ctc"] == value


def test_blocks_on_the_way_have_their_share():
    last, other = log_probs([0.5, 0.5]), log_probs([0.8, 0.2])
    value, report = CtcLoss(0.25)(Fixed(last, intermediate=[other]), BATCH)
    expected = -(0.75 * torch.tensor(0.5).log() + 0.25 * torch.tensor(0.2).log())
    assert value.item() == pytest.approx(expected.item())
    assert report["loss_ctc"].item() == pytest.approx(-torch.tensor(0.5).log().item())


def test_a_training_that_is_continued_equals_one_in_one_go(data, tmp_path):
    short = tone_config(data, tmp_path / "two", num_epochs=1, speeds=(0.9, 1.0, 1.1))
    schedule = {"schedule": "constant"}
    options = {**OPTIONS, "spec_augment": {"num_time_masks": 1, "max_bins": 4}, "intermediate_blocks": [1]}
    short = dataclasses.replace(short, recogniser_options=options, train=dataclasses.replace(short.train, **schedule))
    longer = dataclasses.replace(short, train=dataclasses.replace(short.train, num_epochs=2))
    train_recogniser(short)
    train_recogniser(longer)
    train_recogniser(dataclasses.replace(longer, exp_dir=tmp_path / "one"))
    assert_same(tmp_path / "one/last.safetensors", tmp_path / "two/last.safetensors")
    losses = [epoch["train"]["loss"] for epoch in read_history(tmp_path / "one")]
    assert losses[1] < losses[0]


def test_the_longest_batch_is_tried_first_and_leaves_no_trace(data, tmp_path, capsys, monkeypatch):
    config = tone_config(data, tmp_path / "with", num_epochs=1)
    train_recogniser(config)
    assert "longest batch: " in capsys.readouterr().out
    monkeypatch.setattr("zspex_toolkit.tasks.recognition.try_longest", lambda *_: None)
    train_recogniser(dataclasses.replace(config, exp_dir=tmp_path / "without"))
    assert_same(tmp_path / "with/last.safetensors", tmp_path / "without/last.safetensors")


def test_an_experiment_has_its_tokens_and_no_other(data, tmp_path):
    train_recogniser(tone_config(data, tmp_path / "exp", num_epochs=1))
    spec, tokens, network = load_recogniser(tmp_path / "exp")
    assert len(tokens) == spec.num_tokens and not network.training
    (tmp_path / "exp/tokens.model").unlink()
    with pytest.raises(UserError, match="no such file; expected a token model"):
        load_recogniser(tmp_path / "exp")


def test_an_utterance_without_words_is_refused(other_text):
    config = other_text(lambda text: {utt: "" if utt == "ann-003" else words for utt, words in text.items()})
    with pytest.raises(DataDirError, match="for each of 120 utterances, found none for 1, such as 'ann-003'"):
        train_recogniser(config)
    assert not config.exp_dir.exists()


def test_text_of_another_script_is_refused(other_text):
    config = other_text(lambda text: {utt: "\u0434\u043e" if utt == "bob-001" else w for utt, w in text.items()})
    with pytest.raises(DataDirError, match="found '\u0414\u041e' in 'bob-001'"):
        train_recogniser(config)


def test_an_utterance_with_more_tokens_than_frames_is_left_out_and_counted(other_text, capsys):
    config = other_text(lambda text: {utt: "do re " * 50 if utt == "bob-001" else w for utt, w in text.items()})
    train_recogniser(dataclasses.replace(config, train=dataclasses.replace(config.train, num_epochs=1)))
    said = capsys.readouterr().out
    assert "119 utterances" in said
    assert "1 utterances left out that have more tokens than frames, such as 'bob-001'" in said


def test_settings_out_of_range_are_refused(data, tmp_path):
    with pytest.raises(ConfigError, match="intermediate_weight"):
        tone_config(data, tmp_path, intermediate_weight=1.0)
    with pytest.raises(ConfigError, match="num_block"):
        train_recogniser(tone_config(data, tmp_path / "exp", recogniser_options={"num_block": 3}))
