"""The judge gives the figures that a count by hand gives."""

from pathlib import Path

import numpy as np
import pytest
import torch

from zspex_toolkit.errors import UserError
from zspex_toolkit.infer.judge import Judge
from zspex_toolkit.io.archive import ArchiveWriter


@pytest.fixture
def judge(experiment) -> Judge:
    return Judge(experiment / "classifier", experiment / "clean" / "spk_xvector.scp")


def test_the_clean_embeddings_themselves_are_judged_perfect(judge):
    scores = judge.judge(judge.clean, np.arange(4))
    assert scores["accuracy"] == 1.0 and scores["accuracy_interval"] == [1.0, 1.0]
    assert scores["mae"] == 0.0 and scores["mean_cosine"] == pytest.approx(1.0)
    assert scores["equal_error_rate"] == 0.0


def test_wrong_embeddings_cost_their_share(judge):
    scores = judge.judge(judge.clean[[0, 1, 2, 0]], np.arange(4))
    assert scores["accuracy"] == 0.75 and scores["num_trials"] == 4
    expected = (judge.clean[0] - judge.clean[3]).abs().mean() / 4
    assert scores["mae"] == pytest.approx(float(expected), rel=1e-5)
    cosine = torch.nn.functional.cosine_similarity(judge.clean[0], judge.clean[3], dim=0)
    assert scores["mean_cosine"] == pytest.approx((3 + float(cosine)) / 4, rel=1e-5)


def test_a_speaker_who_was_not_trained_on_is_named(judge):
    with pytest.raises(UserError, match="mix: speaker 'eve' is none of the 4 training speakers"):
        judge.numbers(["anna", "eve"], Path("mix"))


def test_a_classifier_of_other_speakers_is_refused(experiment, tmp_path):
    with ArchiveWriter(tmp_path / "e.ark", tmp_path / "e.scp") as writer:
        writer["anna"] = np.zeros(12, np.float32)
    with pytest.raises(UserError, match="knows other speakers than"):
        Judge(experiment / "classifier", tmp_path / "e.scp")


def test_embeddings_that_are_not_finite_are_told(judge):
    estimates = judge.clean.clone()
    estimates[2, 0] = float("nan")
    with pytest.raises(UserError, match="1 of 4 embeddings are not finite"):
        judge.judge(estimates, np.arange(4))
