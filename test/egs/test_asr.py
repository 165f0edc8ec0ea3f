"""egs/<corpus>/asr1: settings that the real parser and network take."""

from pathlib import Path

import pytest

from zspex_toolkit.config import parse_args
from zspex_toolkit.tasks.recognition import Config, RecogniserSpec, build_recogniser

EGS = Path(__file__).parents[2] / "egs"
CONFIGS = sorted(EGS.glob("*/asr1/conf/*.yaml"))


def test_there_are_settings():
    assert EGS / "mini/asr1/conf/train_recogniser.yaml" in CONFIGS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(EGS)))
def test_each_settings_file_is_taken_by_its_command_and_its_network(path):
    config = parse_args(Config, ["--config", str(path), "--data", "d", "--tokens", "t", "--exp_dir", "e"])
    network = build_recogniser(RecogniserSpec(config.recogniser, config.recogniser_options, config.fs, 30))
    assert network.num_output_frames(config.fs) > 10
    assert config.train.batch_size == 1  # an item is a batch of batch_seconds
