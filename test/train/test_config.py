import pytest

from zspex_toolkit.config import load_config, to_dict
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.train.config import TrainConfig, check_unchanged


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"num_epochs": 0}, "num_epochs: expected at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate: expected a number above 0, got 0.0"),
        (
            {"learning_rate_scale": {"a": 0.1, "b": -1.0}},
            "learning_rate_scale: expected factors of 0 or more, got {'a'",
        ),
        ({"betas": (0.9, 1.0)}, r"betas: expected two numbers in \[0, 1\), got \(0.9, 1.0\)"),
        ({"betas": (-0.1, 0.9)}, r"betas: expected two numbers in \[0, 1\), got \(-0.1, 0.9\)"),
        ({"eps": 0.0}, "eps: expected a number above 0, got 0.0"),
        ({"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), got 1.0"),
        ({"amp": "fp16"}, "amp: expected auto, none or bf16, got fp16"),
        ({"ema_decay": 1.0}, r"ema_decay: expected a number in \[0, 1\), got 1.0"),
        ({"best_metric": ("loss", "low")}, r"best_metric: expected a name and min or max, got \('loss', 'low'\)"),
        ({"patience": -1}, "patience: expected at least 0, got -1"),
    ],
)
def test_a_value_out_of_range_is_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**setting)


def test_settings_come_from_yaml(tmp_path):
    path = tmp_path / "train.yaml"
    path.write_text("learning_rate_scale: {embedder: 0.1}\nbetas: [0.9, 0.99]\nbest_metric: [accuracy, max]\n")
    config = load_config(TrainConfig, path)
    assert config.learning_rate_scale == {"embedder": 0.1}
    assert (config.betas, config.best_metric) == ((0.9, 0.99), ("accuracy", "max"))


def test_what_changes_no_result_may_change(tmp_path):
    saved = to_dict(TrainConfig())
    changed = TrainConfig(num_epochs=7, patience=3, log_every=9, keep_last=4, num_workers=3, checkpoint_steps=5)
    check_unchanged(saved, changed, tmp_path)


def test_every_other_change_is_named(tmp_path):
    message = r"began with other settings: batch_size 64 -> 32, betas \[0.95, 0.999\] -> \[0.9, 0.999\]; set them back"
    with pytest.raises(ConfigError, match=message):
        check_unchanged(to_dict(TrainConfig()), TrainConfig(batch_size=32, betas=(0.9, 0.999)), tmp_path)


def test_a_setting_younger_than_the_checkpoint_had_its_default(tmp_path):
    saved = {name: value for name, value in to_dict(TrainConfig()).items() if name != "ema_decay"}
    check_unchanged(saved, TrainConfig(), tmp_path)
    with pytest.raises(ConfigError, match=r"ema_decay 0.0 -> 0.9"):
        check_unchanged(saved, TrainConfig(ema_decay=0.9), tmp_path)
