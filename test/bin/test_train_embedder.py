"""The command trains from its YAML file and options, and names a misspelt one before anything is loaded."""

import pytest

from zspex_toolkit.bin.train_embedder import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks.embedding import load_embedder


def test_yaml_and_options_reach_the_training(voices, tmp_path):
    settings = tmp_path / "a.yaml"
    settings.write_text(
        "network_options: {channels: 8, pooled_channels: 8, embedding_dim: 6}\n"
        "segment_frames: 40\ntrain: {num_epochs: 3, batch_size: 8}\n"
    )
    data, exp = str(voices / "data" / "train"), tmp_path / "exp"
    arguments = ["--config", str(settings), "--data", data, "--exp_dir", str(exp), "--device", "cpu"]
    main([*arguments, "--train.num_epochs", "1"])
    assert len((exp / "history.jsonl").read_text().splitlines()) == 1
    assert load_embedder(exp)[1].embedding_dim == 6


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--train.num_epoch", "unknown setting --train.num_epoch; did you mean --train.num_epochs?"),
        ("--segment_frame", "unknown setting --segment_frame; did you mean --segment_frames?"),
    ],
)
def test_a_misspelt_option_is_met_with_the_nearest_one(tmp_path, option, message):
    with pytest.raises(ConfigError) as error:
        main(["--data", str(tmp_path), "--exp_dir", str(tmp_path / "exp"), option, "1"])
    assert str(error.value) == message and not (tmp_path / "exp").exists()
