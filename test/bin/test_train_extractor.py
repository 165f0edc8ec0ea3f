"""The command trains from a settings file, with the command line above it."""

import os
import subprocess
import sys

import pytest
import yaml

from zspex_toolkit.bin.train_extractor import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks.extraction import load_extractor
from zspex_toolkit.train.history import read_history

SETTINGS = """
extractor: zspex
extractor_options: {num_filters: 8, kernel_sizes: [32, 64, 128], stride: 16, bottleneck: 8, hidden: 8, num_blocks: 2,
  num_stacks: 1, embedding_dim: 8, speaker_hidden: 8, tac_hidden: 8}
fs: 16000
draw: {segment_seconds: 0.25, enrollment_seconds: [0.3], gain_db: [-3.0, 3.0]}
losses: {si_sdr: {options: {max_si_sdr_db: 30.0}}, cross_entropy: {weight: 0.5}}
train: {num_epochs: 9, batch_size: 12, betas: [0.9, 0.999], weight_decay: 0.00001, schedule: plateau}
"""


def test_settings_come_from_the_file_and_the_command_line_wins(voices, tmp_path):
    (tmp_path / "zspex.yaml").write_text(SETTINGS)
    main(
        [
            *("--config", str(tmp_path / "zspex.yaml"), "--exp_dir", str(tmp_path / "exp"), "--device", "cpu"),
            *("--draw.source_data", str(voices / "data" / "train"), "--draw.speeds", "0.9,1.0"),
            *("--extractor_options.stride", "32", "--train.num_epochs", "1"),
        ]
    )
    settings = yaml.safe_load((tmp_path / "exp" / "config.yaml").read_text())
    assert settings["draw"]["speeds"] == [0.9, 1.0] and settings["train"]["num_epochs"] == 1
    assert settings["losses"]["si_sdr"]["options"]["max_si_sdr_db"] == 30.0
    spec, _ = load_extractor(tmp_path / "exp")
    assert spec.extractor == "zspex" and spec.extractor_options["stride"] == 32 and spec.num_speakers == 4


def test_the_losses_of_earlier_versions_are_met_with_the_way_they_are_written_now(tmp_path):
    (tmp_path / "old.yaml").write_text("loss: {max_si_sdr_db: 30.0}\n")
    for argv in (["--config", str(tmp_path / "old.yaml")], ["--loss.max_si_sdr_db", "30"]):
        with pytest.raises(ConfigError, match=r"loss is written in another way now: losses: \{si_sdr: \{weight: 1.0, "):
            main([*argv, "--exp_dir", str(tmp_path / "exp")])


@pytest.mark.slow
def test_torchrun_starts_it_on_two_processes_and_the_loss_is_that_of_one(voices, tmp_path):
    (tmp_path / "zspex.yaml").write_text(SETTINGS)
    options = [
        *("--config", str(tmp_path / "zspex.yaml"), "--device", "cpu", "--train.num_epochs", "1"),
        *("--draw.source_data", str(voices / "data" / "train"), "--exp_dir"),
    ]
    main([*options, str(tmp_path / "one")])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*torchrun, "-m", "zspex_toolkit.bin.train_extractor", *options, str(tmp_path / "two")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("mixtures an epoch") == 1
    assert "2 processes: batch_size counts for all together, each takes 6 of the 12 items" in done.stderr
    (one,), (two,) = read_history(tmp_path / "one"), read_history(tmp_path / "two")
    # Batch normalisation sees half a batch: near, not equal.
    assert two["items"] == one["items"] and two["train"]["loss"] == pytest.approx(one["train"]["loss"], rel=0.2)
    load_extractor(tmp_path / "two")
