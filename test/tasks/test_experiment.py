"""An experiment's folder says what it was trained with, and refuses what does not fit."""

import dataclasses
import shutil

import pytest
import torch
from safetensors.torch import save_file

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.tasks.embedding import Config, EmbedderSpec, load_embedder
from zspex_toolkit.tasks.experiment import load_weights, read_spec, read_weights, start_experiment
from zspex_toolkit.train.config import TrainConfig


def begun(config):
    """The folder of a training that has left a checkpoint."""
    start_experiment(config.exp_dir, config, {"a": 1})
    (config.exp_dir / "checkpoints").mkdir()
    (config.exp_dir / "checkpoints" / "epoch-1.pt").touch()
    return config.exp_dir


def test_settings_and_network_are_written_and_read_back(experiment):
    spec = read_spec(EmbedderSpec, experiment / "embedder")
    assert spec.network_options == {"channels": 16, "pooled_channels": 24, "embedding_dim": 12}
    assert spec.front_end.mfcc.num_ceps == 20


def test_an_experiment_does_not_go_on_under_other_settings(tmp_path):
    config = Config(tmp_path, tmp_path / "exp", segment_frames=60)
    begun(config)
    more_epochs = dataclasses.replace(config, train=TrainConfig(num_epochs=200), device="cpu")
    start_experiment(tmp_path / "exp", more_epochs, {"a": 1})
    with pytest.raises(ConfigError, match=r"begun with other settings: segment_frames 60 -> 80; set them back"):
        start_experiment(tmp_path / "exp", dataclasses.replace(config, segment_frames=80), {"a": 1})


def test_an_experiment_does_not_go_on_with_fewer_losses(tmp_path):
    one = {"cross_entropy": {"weight": 1.0}}
    config = Config(tmp_path, tmp_path / "exp", losses=one | {"additive_angular_margin": {"weight": 0.1}})
    start_experiment(begun(config), config, {"a": 1})
    with pytest.raises(ConfigError, match=r"begun with other settings: losses \{.*additive_angular.*\} -> \{"):
        start_experiment(config.exp_dir, dataclasses.replace(config, losses=one), {"a": 1})


def test_an_experiment_of_earlier_settings_is_told_how_they_are_written_now(tmp_path):
    config = Config(tmp_path, tmp_path / "exp")
    before = begun(config) / "config.yaml"
    before.write_text(before.read_text() + "loss: additive_angular_margin\n")
    message = "was begun with loss additive_angular_margin, which is written in another way now: losses: {LOSS: "
    with pytest.raises(ConfigError, match=message):
        start_experiment(config.exp_dir, config, {"a": 1})


def test_settings_are_free_until_something_was_learnt(tmp_path):
    config = Config(tmp_path, tmp_path / "exp", segment_frames=60)
    start_experiment(tmp_path / "exp", config, {"a": 1})
    start_experiment(tmp_path / "exp", dataclasses.replace(config, segment_frames=80), {"a": 1})
    assert "segment_frames: 80" in (tmp_path / "exp" / "config.yaml").read_text()


def test_a_training_that_has_not_finished_is_not_used(experiment, tmp_path):
    shutil.copytree(experiment / "embedder", tmp_path / "a")
    (tmp_path / "a" / "done").unlink()
    with pytest.raises(UserError, match="this training has not finished; start its command again"):
        load_embedder(tmp_path / "a")


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(UserError, match=r"model.yaml: no such file; expected the folder of a trained model"):
        load_embedder(tmp_path)


def test_weights_cut_short_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"weight": torch.ones(100, 100)}, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="cut short or no safetensors file"):
        read_weights(path)


def test_a_pickle_in_place_of_weights_is_refused_unread(tmp_path):
    path = tmp_path / "w.safetensors"
    torch.save({"weight": torch.ones(2)}, path)
    with pytest.raises(UserError, match="is a pickle, which could run code: refused"):
        read_weights(path)


def test_weights_cut_short_are_no_pickle_whatever_the_length_of_their_header(tmp_path):
    path = tmp_path / "w.safetensors"
    header = b"{" + b" " * 0x47F  # its length, 0x480, begins as a pickle of protocol 4 does
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert path.read_bytes().startswith(b"\x80\x04")
    with pytest.raises(UserError, match="cut short or no safetensors file"):
        read_weights(path)


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"weight": torch.ones(3, 3)}, path)
    with pytest.raises(UserError, match=r"weights of another network than model\.yaml describes"):
        load_weights(torch.nn.Linear(2, 2), path)
