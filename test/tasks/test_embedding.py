"""The embedder is trained on random segments, and an unknown option is named before anything is loaded."""

import shutil

import pytest
import torch

from zspex_toolkit.data.augment import AugmentConfig
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.tasks.embedding import Config, SpeakerScores, build_embedder, load_embedder, train_embedder
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history

SMALL = {"channels": 8, "pooled_channels": 8, "embedding_dim": 6}


def test_training_lowers_the_loss(experiment):
    losses = [epoch["train"]["loss"] for epoch in read_history(experiment / "embedder")]
    assert losses[-1] < 0.7 * losses[0]


def test_a_loaded_embedder_is_frozen_and_equals_the_trained_one(experiment):
    _, embedder = load_embedder(experiment / "embedder")
    assert not embedder.training and not any(parameter.requires_grad for parameter in embedder.parameters())
    spec, again = load_embedder(experiment / "embedder")
    feats = torch.randn(1, 40, spec.front_end.mfcc.num_ceps)
    assert torch.equal(embedder(feats), again(feats))


def test_a_cosine_output_scores_between_minus_one_and_one():
    from zspex_toolkit.signal.front_end import FrontEndConfig
    from zspex_toolkit.tasks.embedding import EmbedderSpec

    spec = EmbedderSpec("residual_tdnn", SMALL, FrontEndConfig())
    model = SpeakerScores(build_embedder(spec), 5, affine=True, cosine=True)
    given = model(10 * torch.randn(4, 30, 20), None)
    assert given["cosines"].shape == (4, 5) and given["cosines"].abs().max() <= 1 + 1e-6
    unbiased = given["speaker_scores"] - model.output.bias
    lengths = given["embedding"].norm(dim=1)[:, None] * model.output.weight.norm(dim=1)
    torch.testing.assert_close(unbiased, given["cosines"] * lengths)


def test_training_on_the_fly_with_a_margin_runs(voices, tmp_path):
    config = Config(
        voices / "data" / "train",
        tmp_path / "exp",
        network_options=SMALL,
        losses={
            "additive_angular_margin": {"options": {"margin": 0.1, "scale": 10.0}},
            "cross_entropy": {"weight": 0.5},
        },
        segment_frames=40,
        augment=AugmentConfig(on_the_fly=True, speeds=(0.9, 1.0, 1.1), speeds_are_speakers=True),
        device="cpu",
        train=TrainConfig(num_epochs=1, batch_size=8),
    )
    train_embedder(config)
    _, embedder = load_embedder(tmp_path / "exp")
    assert embedder(torch.randn(1, 30, 20)).shape == (1, 6)
    means = read_history(tmp_path / "exp")[0]["train"]
    expected = means["loss_additive_angular_margin"] + 0.5 * means["loss_cross_entropy"]
    assert means["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"network": "residual_tddn"},
            "unknown name 'residual_tddn' in models.embedders; did you mean 'residual_tdnn'?",
        ),
        ({"network_options": {"chanels": 8}}, "network_options: unknown setting chanels; did you mean channels?"),
        (
            {"losses": {"additive_angular_margin": {"options": {"margn": 1}}}},
            "losses.additive_angular_margin.options: unknown setting margn; did you mean margin?",
        ),
    ],
)
def test_a_misspelt_name_is_met_with_the_nearest_one(voices, tmp_path, change, message):
    with pytest.raises(ConfigError) as error:
        train_embedder(Config(voices / "data" / "train", tmp_path / "exp", **change))
    assert message in str(error.value)
    assert not (tmp_path / "exp").exists()


def test_data_without_features_says_what_to_run(voices, tmp_path):
    shutil.copytree(voices / "data" / "train", tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "conf")
    with pytest.raises(DataDirError, match=r"conf/mfcc.conf: no such file; run make_mfcc on"):
        train_embedder(Config(tmp_path / "data", tmp_path / "exp"))
