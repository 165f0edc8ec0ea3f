"""A training is told from its folder, and what the folder does not hold is not told."""

import numpy as np

from zspex_toolkit.report.trainings import read_training


def test_a_training_ends_with_the_values_of_the_weights_that_are_used(exp):
    training = read_training(exp / "demix_e1_snr0_subtract")
    assert training.curve("valid", "mae") == [0.5, 0.25, 0.375]
    assert training.last("valid", "mae") == 0.375
    assert training.seconds == 3 * 30.0


def test_an_error_that_was_not_finite_leaves_a_gap_in_the_curve(tmp_path):
    assert not read_training(tmp_path).tells("mae")
    lines = [
        '{"epoch": 1, "train": {"mae": 0.5}, "valid": {"mae": null}}',
        '{"epoch": 2, "train": {}, "valid": null}',
    ]
    (tmp_path / "history.jsonl").write_text("\n".join(lines) + "\n")
    training = read_training(tmp_path)
    assert training.curve("train", "mae")[0] == 0.5
    assert np.isnan([*training.curve("valid", "mae"), training.curve("train", "mae")[1]]).all()
    assert training.tells("mae")


def test_single_losses_are_told_where_there_are_several(tmp_path):
    line = '{"epoch": 1, "train": {"loss": 3, "loss_a": 1, "loss_b": 2, "mae": 4}, "valid": null}\n'
    (tmp_path / "history.jsonl").write_text(line)
    assert read_training(tmp_path).terms == ["loss_a", "loss_b"]
    (tmp_path / "history.jsonl").write_text('{"epoch": 1, "train": {"loss": 3, "loss_a": 3}, "valid": null}\n')
    assert read_training(tmp_path).terms == []


def test_an_empty_folder_tells_nothing(tmp_path):
    training = read_training(tmp_path)
    assert (training.effective_batch, training.seconds, training.config_hash) == (None, None, None)
    assert training.last("train", "accuracy") is None


def test_the_commit_is_that_of_the_code_that_trained_and_older_trainings_have_none(tmp_path):
    (tmp_path / "done").write_text('{"epochs": 3, "commit": "def456"}')
    assert read_training(tmp_path).commit == "def456"
    (tmp_path / "done").write_text('{"epochs": 3}')
    assert read_training(tmp_path).commit is None
