"""The de-mixing network starts from the trained embedder and learns to give the other speaker."""

import dataclasses
import shutil

import pytest
import safetensors.torch
import torch

from zspex_toolkit.config import load_config
from zspex_toolkit.data.drawn_mixtures import DrawConfig
from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.errors import ConfigError, DataDirError, UserError
from zspex_toolkit.models.demixers.modulate import Modulate
from zspex_toolkit.models.demixers.subtract import Subtract
from zspex_toolkit.models.embedders.residual_tdnn import ResidualTdnn
from zspex_toolkit.tasks.demixing import (
    Config,
    DemixingLoss,
    DemixingNetwork,
    load_known_embedder,
    load_network,
    train_demixers,
)
from zspex_toolkit.tasks.embedding import load_embedder
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history


@pytest.fixture
def config(experiment, tmp_path) -> Config:
    """One epoch of subtraction on stored mixtures."""
    return Config(
        tmp_path / "demix",
        experiment / "embedder",
        experiment / "clean" / "spk_xvector.scp",
        data=(experiment.parent / "data" / "mix_train_snr0",),
        segment_frames=60,
        device="cpu",
        train=TrainConfig(num_epochs=1, batch_size=8),
    )


def test_training_lowers_the_error_on_training_and_test_mixtures_is_followed(experiment):
    epochs = read_history(experiment / "demix_e2_snr0_concat2")
    assert epochs[-1]["train"]["mae"] < 0.8 * epochs[0]["train"]["mae"]
    assert epochs[0]["valid"]["mae"] > 0


def test_the_known_speaker_is_embedded_by_the_embedder_as_it_was(experiment):
    _, original = load_embedder(experiment / "embedder")
    known = load_known_embedder(experiment / "demix_e2_snr0_concat2")
    _, network = load_network(experiment / "demix_e2_snr0_concat2")
    feats = torch.randn(1, 30, 20)
    assert torch.equal(known(feats), original(feats))
    assert not torch.allclose(network.embedder(feats), original(feats))


def test_a_frozen_embedder_comes_out_as_it_went_in(config):
    (folder,) = train_demixers(dataclasses.replace(config, freeze_embedder=True))
    _, network = load_network(folder)
    _, original = load_embedder(config.embedder)
    feats = torch.randn(1, 30, 20)
    assert torch.equal(network.embedder(feats), original(feats))


def test_several_functions_are_trained_one_after_another_each_as_if_alone_with_the_options_that_it_takes(config):
    config = dataclasses.replace(config, demixers=("subtract", "share_concat"), demixer_options={"relu_output": True})
    both = train_demixers(config)
    assert [folder.name for folder in both] == ["demix_subtract", "demix_share_concat"]
    assert [load_network(folder)[0].demixer_options for folder in both] == [{}, {"relu_output": True}]
    alone = dataclasses.replace(config, exp_dir=config.exp_dir.with_name("alone"), demixers=("share_concat",))
    (folder,) = train_demixers(alone)
    after_another, first = (load_network(path)[1].state_dict() for path in (both[1], folder))
    assert all(torch.equal(after_another[name], first[name]) for name in first)


def test_mixtures_can_be_drawn_on_the_fly_for_both_directions_with_every_loss(config, experiment):
    drawn = dataclasses.replace(
        config,
        data=(),
        draw=DrawConfig(source_data=experiment.parent / "data" / "train", snr_db=(-5.0, 5.0), speeds=(0.9, 1.1)),
        given="both",
        demixers=("modulate",),
        losses={"mean_absolute_error": None, "cosine_distance": {"weight": 0.5}, "cross_entropy": {"weight": 0.1}},
        classifier=experiment / "classifier",
    )
    (folder,) = train_demixers(drawn)
    spec, _ = load_network(folder)
    assert (spec.demixer, spec.given) == ("modulate", "both")
    assert load_config(Config, folder / "config.yaml") == drawn


def test_the_loss_is_the_weighted_sum_of_its_parts(config, experiment):
    speakers, clean = read_embeddings(config.clean_speakers)
    batch = {"feats": torch.zeros(2, 5, 20), "known": torch.tensor([0, 1]), "asked": torch.tensor([2, 3])}
    weighted = dataclasses.replace(
        config, losses={"mean_absolute_error": {"weight": 2.0}, "cosine_distance": {"weight": 0.5}}
    )
    total, report = DemixingLoss(weighted, clean, speakers)(lambda feats, num_frames, known: known, batch)
    mae = (clean[[0, 1]] - clean[[2, 3]]).abs().mean()
    cosine = torch.nn.functional.cosine_similarity(clean[[0, 1]], clean[[2, 3]]).mean()
    torch.testing.assert_close(total, 2 * mae + 0.5 * (1 - cosine))
    torch.testing.assert_close(report["mae"], mae)
    torch.testing.assert_close(report["loss_mean_absolute_error"], mae)
    torch.testing.assert_close(report["loss_cosine_distance"], 1 - cosine)


def test_the_frozen_classifier_may_be_followed_or_learnt_from(config, experiment):
    speakers, clean = read_embeddings(config.clean_speakers)
    batch = {"feats": torch.zeros(2, 5, 20), "known": torch.tensor([0, 1]), "asked": torch.tensor([2, 3])}
    judged = dataclasses.replace(config, classifier=experiment / "classifier")
    taught = dataclasses.replace(judged, losses={"mean_absolute_error": None, "cross_entropy": {"weight": 0.1}})
    (plain, one), (total, two) = (
        DemixingLoss(settings, clean, speakers)(lambda feats, num_frames, known: known, batch)
        for settings in (judged, taught)
    )
    assert torch.equal(one["accuracy"], two["accuracy"]) and "loss_cross_entropy" not in one
    torch.testing.assert_close(total, plain + 0.1 * two["loss_cross_entropy"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": ()}, "expected one of data (stored mixtures) and draw.source_data (mixing on the fly)"),
        ({"given": "e3"}, "given: expected one of e1, e2, both, got 'e3'"),
        ({"demixers": ("substract",)}, "unknown name 'substract' in models.demixers; did you mean 'subtract'?"),
        (
            {"demixers": ("share_concat",), "demixer_options": {"relu_ouput": True}},
            "demixer_options: unknown setting relu_ouput; did you mean relu_output?",
        ),
        ({"losses": {"mean_absolute_error": {"weight": 0}}}, "losses: expected a weight above 0 for one of them"),
        (
            {"losses": {"cross_entropy": None}},
            "losses.cross_entropy: needs classifier, the experiment of the classifier B",
        ),
    ],
)
def test_settings_that_make_no_sense_are_one_clear_line(config, change, message):
    with pytest.raises(ConfigError) as error:
        train_demixers(dataclasses.replace(config, **change))
    assert str(error.value) == message


def test_features_of_another_front_end_are_refused(config, experiment, tmp_path):
    other = tmp_path / "mix"
    shutil.copytree(config.data[0], other)
    conf = other / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("--num-mel-bins=30", "--num-mel-bins=40"))
    with pytest.raises(DataDirError, match=r"trained on other features: num_mel_bins 40, expected 30"):
        train_demixers(dataclasses.replace(config, data=(other,)))


def test_the_followed_mixtures_may_not_choose(config):
    steered = dataclasses.replace(
        config, valid_data=config.data, train=dataclasses.replace(config.train, schedule="plateau")
    )
    with pytest.raises(ConfigError, match="would choose by the mixtures of valid_data"):
        train_demixers(steered)


def test_several_stored_sets_are_trained_on_as_one(config, experiment):
    test_mixtures = experiment.parent / "data" / "mix_test_snr0"
    (folder,) = train_demixers(dataclasses.replace(config, data=(*config.data, test_mixtures)))
    assert "36 training items" in (folder / "train.log").read_text()


def test_a_dry_run_leaves_nothing(config):
    train_demixers(dataclasses.replace(config, train=dataclasses.replace(config.train, dry_run=True)))
    assert not config.exp_dir.with_name("demix_subtract").exists()


def test_a_training_does_not_go_on_from_another_embedder(config, experiment, tmp_path):
    train_demixers(config)
    shutil.copytree(experiment / "embedder", tmp_path / "embedder")
    weights = safetensors.torch.load_file(tmp_path / "embedder" / "last.safetensors")
    weights["embedder.segment2.bias"] += 1
    safetensors.torch.save_file(weights, tmp_path / "embedder" / "last.safetensors")
    with pytest.raises(UserError, match="was begun from another embedder"):
        again = dataclasses.replace(config, embedder=tmp_path / "embedder")
        shutil.copy(tmp_path / "demix_subtract" / "config.yaml", tmp_path / "kept.yaml")
        text = (tmp_path / "kept.yaml").read_text().replace(str(config.embedder), str(again.embedder))
        (tmp_path / "demix_subtract" / "config.yaml").write_text(text)
        train_demixers(again)


def small_embedder():
    torch.manual_seed(0)
    return ResidualTdnn(4, channels=8, pooled_channels=12, embedding_dim=6)


def test_the_mixture_is_embedded_and_the_known_embedding_passed_on():
    network = DemixingNetwork(small_embedder(), Subtract(6)).eval()
    feats, known = torch.randn(2, 9, 4), torch.randn(2, 6)
    torch.testing.assert_close(network(feats, None, known), network.demixer(network.embedder(feats), known))


def test_a_frozen_embedder_keeps_its_weights_and_batch_statistics():
    network = DemixingNetwork(small_embedder(), Subtract(6), freeze_embedder=True).train()
    before = {name: value.clone() for name, value in network.embedder.state_dict().items()}
    network(torch.randn(3, 9, 4), None, torch.randn(3, 6)).sum().backward()
    assert all(parameter.grad is None for parameter in network.embedder.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.embedder.state_dict().items())
    assert network.demixer.training and not network.embedder.training


def test_a_modulating_function_reaches_into_the_frames():
    embedder = small_embedder()
    network = DemixingNetwork(embedder, Modulate(6, modulated_channels=embedder.modulated_channels)).eval()
    feats, known = torch.randn(2, 9, 4), torch.randn(2, 6)
    before = network(feats, None, known)
    with torch.no_grad():
        network.demixer.shifts[0].bias += 1
    assert not torch.allclose(network(feats, None, known), before, atol=1e-4)
