"""Scores of networks and baselines, and the controls that show the harness measures what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import UserError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.score.demixing import (
    BaselinesConfig,
    DemixersConfig,
    EmbeddingScorer,
    mixed_with_themselves,
    score_baselines,
    score_demixers,
    shuffled_speakers,
)
from zspex_toolkit.score.mixtures import load_mixtures
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.tasks.demixing import load_network
from zspex_toolkit.tasks.embedding import load_embedder


@pytest.fixture(scope="module")
def tools(experiment):
    return experiment / "classifier", experiment / "clean" / "spk_xvector.scp"


@pytest.fixture(scope="module")
def sets(voices):
    data = voices / "data"
    return {"train_data": (data / "mix_train_snr0",), "test_data": (data / "mix_test_snr0",), "device": "cpu"}


@pytest.fixture(scope="module")
def baselines(experiment, voices, tools, sets, tmp_path_factory):
    out = tmp_path_factory.mktemp("baseline")
    clean = {"clean_train_data": voices / "data" / "train", "clean_test_data": voices / "data" / "test"}
    score_baselines(BaselinesConfig(experiment / "embedder", *tools, **sets, **clean, out=out))
    return json.loads((out / "snr0" / "scores.json").read_text())


def pick(rows, **facts):
    found = [row for row in rows if all(row.get(name) == value for name, value in facts.items())]
    assert len(found) == 1
    return found[0]


def test_a_network_is_scored_mixture_by_mixture(experiment, voices, tools, sets):
    model = experiment / "demix_e2_snr0_concat2"
    score_demixers(DemixersConfig((model,), *tools, **sets))
    rows = json.loads((model / "scores.json").read_text())
    row = pick(rows, set="test", control=None)
    spec, network = load_network(model)
    scorer = EmbeddingScorer(*tools)
    mixtures = load_mixtures(sets["test_data"][0], spec.embedder.front_end, "e2", "test")
    known = scorer.clean[scorer.numbers(mixtures.known, mixtures.path)]
    estimates = [network(feats[None], None, e[None]) for feats, e in zip(mixtures.feats, known, strict=True)]
    expected = scorer.score(torch.cat(estimates), scorer.numbers(mixtures.asked, mixtures.path))
    assert row["accuracy"] == expected["accuracy"] and row["num_trials"] == 12
    assert row["mean_cosine"] == pytest.approx(expected["mean_cosine"], abs=1e-4)
    assert pick(rows, set="train", control=None)["num_trials"] == 24


def test_mixed_with_itself_and_an_oracle_the_accuracy_is_that_of_clean(baselines):
    for given in ("e1", "e2"):
        oracle = pick(baselines, set="test", given=given, control="oracle")
        clean = pick(baselines, set="test", given=given, function="clean", control=None)
        assert oracle["accuracy"] == clean["accuracy"]
        assert oracle["mean_cosine"] == pytest.approx(clean["mean_cosine"], abs=0.01)
        assert oracle["mean_cosine"] != clean["mean_cosine"]  # it came through mixing and rounding, not from a copy


def test_an_utterance_mixed_with_itself_has_its_own_features(voices):
    doubled = mixed_with_themselves(voices / "data" / "test", FrontEndConfig())
    stored = StoredFeatures(voices / "data" / "test", FrontEndConfig())
    assert list(doubled) == list(stored.utterances)
    same_length = [utt for utt in stored.utterances if doubled[utt].shape == stored[utt].shape]
    assert len(same_length) >= 10
    for utt in same_length:
        assert float((doubled[utt] - stored[utt]).abs().mean()) < 0.5


def test_before_is_the_embedding_of_the_mixture_alone(baselines, experiment, tools, sets):
    _, embedder = load_embedder(experiment / "embedder")
    scorer = EmbeddingScorer(*tools)
    mixtures = load_mixtures(sets["test_data"][0], FrontEndConfig(), "e2", "test")
    vectors = torch.cat([embedder(feats[None]) for feats in mixtures.feats])
    expected = scorer.score(vectors, scorer.numbers(mixtures.asked, mixtures.path))
    assert pick(baselines, set="test", given="e2", function="before")["accuracy"] == expected["accuracy"]


def test_clean_is_at_least_before(baselines):
    for given in ("e1", "e2"):
        before, clean = (
            pick(baselines, set="train", given=given, function=f, control=None) for f in ("before", "clean")
        )
        assert clean["accuracy"] > before["accuracy"]


def test_strangers_are_in_none_of_their_mixtures_and_do_not_change(voices):
    mixtures = load_mixtures(voices / "data" / "mix_test_snr0", FrontEndConfig(), "e2", "test")
    speakers = ["anna", "bert", "cleo", "dave"]
    strangers = shuffled_speakers(mixtures, speakers)
    assert all(len({*three}) == 3 for three in zip(strangers, mixtures.asked, mixtures.known, strict=True))
    assert strangers == shuffled_speakers(mixtures, speakers)
    assert len(np.unique(strangers)) > 1


@pytest.fixture
def scorer(experiment) -> EmbeddingScorer:
    return EmbeddingScorer(experiment / "classifier", experiment / "clean" / "spk_xvector.scp")


def test_the_clean_embeddings_themselves_score_perfectly(scorer):
    scores = scorer.score(scorer.clean, np.arange(4))
    assert scores["accuracy"] == 1.0 and scores["accuracy_interval"] == [1.0, 1.0]
    assert scores["mae"] == 0.0 and scores["mean_cosine"] == pytest.approx(1.0)
    assert scores["equal_error_rate"] == 0.0


def test_wrong_embeddings_cost_their_share(scorer):
    scores = scorer.score(scorer.clean[[0, 1, 2, 0]], np.arange(4))
    assert scores["accuracy"] == 0.75 and scores["num_trials"] == 4
    expected = (scorer.clean[0] - scorer.clean[3]).abs().mean() / 4
    assert scores["mae"] == pytest.approx(float(expected), rel=1e-5)
    cosine = torch.nn.functional.cosine_similarity(scorer.clean[0], scorer.clean[3], dim=0)
    assert scores["mean_cosine"] == pytest.approx((3 + float(cosine)) / 4, rel=1e-5)


def test_a_speaker_who_was_not_trained_on_is_named(scorer):
    with pytest.raises(UserError, match="mix: speaker 'eve' is none of the 4 training speakers"):
        scorer.numbers(["anna", "eve"], Path("mix"))


def test_a_classifier_of_other_speakers_is_refused(experiment, tmp_path):
    with ArchiveWriter(tmp_path / "e.ark", tmp_path / "e.scp") as writer:
        writer["anna"] = np.zeros(12, np.float32)
    with pytest.raises(UserError, match="knows other speakers than"):
        EmbeddingScorer(experiment / "classifier", tmp_path / "e.scp")


def test_embeddings_that_are_not_finite_are_told(scorer):
    estimates = scorer.clean.clone()
    estimates[2, 0] = float("nan")
    with pytest.raises(UserError, match="1 of 4 embeddings are not finite"):
        scorer.score(estimates, np.arange(4))
