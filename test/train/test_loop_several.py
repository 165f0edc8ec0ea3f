"""The loop on two processes, over gloo."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch
from support.several import in_processes, outputs, start_processes, statuses
from support.toy import ToySet, assert_same_training, poisoned, same_weights, toy_loss, toy_train
from torch import nn

from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history
from zspex_toolkit.train.loop import train


def plain_net():
    """Without dropout and batch normalisation: what processes share out exactly."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def train_plain(exp_dir, *, loss=toy_loss, train_set=None, **settings):
    config = TrainConfig(**{"num_epochs": 2, "batch_size": 4, "learning_rate": 0.02, "amp": "none", **settings})
    model = plain_net()
    train(model, loss, train_set or ToySet(), ToySet(9, salt="valid"), exp_dir, config, "cpu")
    return model


def train_plain_of_rank(folder, rank, settings):
    """One of several processes; keeps the weights it ended with."""
    model = train_plain(folder / "several", **settings)
    torch.save(model.state_dict(), folder / f"weights.{rank}")


SETTINGS = [
    {"optimizer": "adam", "ema_decay": 0.9},
    {"optimizer": "sgd", "schedule": "plateau", "plateau_patience": 0, "accumulate": 2, "clip_grad_norm": 1.0},
    {"optimizer": "muon", "batch_size": 5},  # shares of 3 and 2, and at last of 2 (21 = 4 x 5 + 1: the last has 6)
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_several_processes_end_with_the_weights_and_scores_of_one(tmp_path, settings, count):
    train_plain(tmp_path / "one", **settings)
    assert in_processes(count, train_plain_of_rank, tmp_path, settings) == [0] * count, outputs(tmp_path)
    for name in ("best", "last"):
        one, several = (
            safetensors.torch.load_file(tmp_path / who / f"{name}.safetensors") for who in ("one", "several")
        )
        torch.testing.assert_close(several, one, rtol=1e-4, atol=1e-5)
    for one, several in zip(read_history(tmp_path / "one"), read_history(tmp_path / "several"), strict=True):
        for part in ("train", "valid"):
            assert several[part] == pytest.approx(one[part], rel=1e-4)
        assert (several["steps"], several["items"], several["best"]) == (one["steps"], one["items"], one["best"])
    weights = [torch.load(tmp_path / f"weights.{rank}", weights_only=True) for rank in range(count)]
    assert all(same_weights(weights[0], other) for other in weights[1:])


def validate_only(folder, rank):
    train_plain(folder / "several", learning_rate=1e-30, num_epochs=1, loss=scaled_loss)


def scaled_loss(model, batch):
    """Has a statistic over some items only: not a number where a batch has none of them."""
    value, statistics = toy_loss(model, batch)
    positive = batch["y"] > 0
    return value, {**statistics, "positive": (batch["y"] * positive).sum() / positive.sum()}


def test_validation_scores_equal_those_of_one_process_to_the_bit(tmp_path):
    train_plain(tmp_path / "one", learning_rate=1e-30, num_epochs=1, loss=scaled_loss)
    assert in_processes(2, validate_only, tmp_path) == [0, 0]
    one, several = (read_history(tmp_path / who)[0]["valid"] for who in ("one", "several"))
    assert one == several and set(one) == {"loss", "mae", "positive"}


def train_toy_of_rank(folder, rank, name, settings, seconds_per_item=0.0):
    model = toy_train(folder / name, seconds_per_item=seconds_per_item, **settings)
    torch.save(model.state_dict(), folder / f"weights.{rank}")


def test_dropout_differs_between_processes_and_running_means_do_not(tmp_path):
    assert in_processes(2, train_toy_of_rank, tmp_path, "exp", {"num_epochs": 1}) == [0, 0]
    first, second = (torch.load(tmp_path / f"weights.{rank}", weights_only=True) for rank in (0, 1))
    assert same_weights(first, second) and not torch.equal(first["0.1.running_mean"], torch.zeros(8))
    state = torch.load(tmp_path / "exp" / "checkpoints" / "epoch-1.pt", weights_only=True)
    assert not torch.equal(state["random_state"]["cpu"], state["other_random_states"][0]["cpu"])
    assert int(first["0.1.num_batches_tracked"]) == 5


def stop_one(folder, rank, name, settings, who):
    """The signal reaches one of the processes, in its third call."""
    calls = []

    def loss(model, batch):
        calls.append(batch)
        if len(calls) == 3 and rank == who:
            os.kill(os.getpid(), signal.SIGUSR1)
        return toy_loss(model, batch)

    toy_train(folder / name, loss=loss, **settings)


@pytest.mark.parametrize("who", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_signal_to_any_process_stops_all_at_one_step_and_nothing_is_lost(tmp_path, who):
    settings = {"num_epochs": 2, "ema_decay": 0.9}
    assert in_processes(2, train_toy_of_rank, tmp_path, "whole", settings) == [0, 0]
    assert in_processes(2, stop_one, tmp_path, "parts", settings, who) == [75, 75]
    assert [path.name for path in (tmp_path / "parts" / "checkpoints").iterdir()] == ["epoch-1-step-3.pt"]
    assert "stopped by SIGUSR1" in (tmp_path / "parts" / "train.log").read_text()
    assert not (tmp_path / "parts" / ".lock").exists()
    stopped = json.loads((tmp_path / "parts" / "stopped").read_text())
    assert stopped == {"signal": "SIGUSR1", "checkpoint": "epoch-1-step-3.pt", "starts_in_vain": 0, "start": ""}
    assert in_processes(2, train_toy_of_rank, tmp_path, "parts", settings) == [0, 0]
    assert_same_training(tmp_path / "whole", tmp_path / "parts")
    assert not (tmp_path / "parts" / "stopped").exists()


def test_killed_and_started_again_all_go_on_from_the_last_whole_checkpoint(tmp_path):
    settings = {"num_epochs": 3, "checkpoint_steps": 1}
    exp_dir = tmp_path / "killed"
    processes = start_processes(2, train_toy_of_rank, tmp_path, "killed", settings, 0.02)
    deadline = time.monotonic() + 240
    while not (exp_dir / "checkpoints" / "epoch-2-step-3.pt").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    processes[1].kill()
    assert statuses(processes) == [1, -signal.SIGKILL]
    assert "another process of this training was killed" in outputs(tmp_path)
    newest = max(exp_dir.glob("checkpoints/*.pt"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:-100])
    assert in_processes(2, train_toy_of_rank, tmp_path, "killed", settings) == [0, 0]
    assert f"{newest}: broken checkpoint" in (exp_dir / "train.log").read_text()
    assert in_processes(2, train_toy_of_rank, tmp_path, "whole", settings) == [0, 0]
    assert_same_training(tmp_path / "whole", exp_dir)


def test_data_processes_of_their_own_change_nothing_and_end_with_a_killed_training(tmp_path):
    settings = {"num_epochs": 2}
    first = {**settings, "num_workers": 1, "checkpoint_steps": 1}
    processes = start_processes(2, train_toy_of_rank, tmp_path, "parts", first, 0.02)
    deadline = time.monotonic() + 240
    while not (tmp_path / "parts" / "checkpoints" / "epoch-1-step-2.pt").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    # Held, its data process cannot end by itself; while it lives, so do the connections of the killed one.
    (data_process,) = Path(f"/proc/{processes[0].pid}/task/{processes[0].pid}/children").read_text().split()
    os.kill(int(data_process), signal.SIGSTOP)
    processes[0].kill()
    assert statuses(processes) == [-signal.SIGKILL, 1]
    assert in_processes(2, train_toy_of_rank, tmp_path, "parts", {**settings, "num_workers": 1}) == [0, 0]
    assert in_processes(2, train_toy_of_rank, tmp_path, "whole", settings) == [0, 0]
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


def train_plain_alone(folder, rank, name, settings):
    train_plain(folder / name, **settings)


def test_it_goes_on_with_another_number_of_processes_in_the_same_order(tmp_path):
    # Alone in processes of their own: what a training leaves running in this one would be torn apart by the next fork.
    assert in_processes(1, train_plain_alone, tmp_path, "one", {"num_epochs": 4}) == [0], outputs(tmp_path)
    assert in_processes(1, train_plain_alone, tmp_path, "several", {"num_epochs": 1}) == [0], outputs(tmp_path)
    assert in_processes(3, train_plain_of_rank, tmp_path, {"num_epochs": 2}) == [0] * 3, outputs(tmp_path)
    assert in_processes(2, train_plain_of_rank, tmp_path, {"num_epochs": 3}) == [0] * 2, outputs(tmp_path)
    assert in_processes(1, train_plain_alone, tmp_path, "several", {"num_epochs": 4}) == [0], outputs(tmp_path)
    for one, several in zip(read_history(tmp_path / "one"), read_history(tmp_path / "several"), strict=True):
        assert several["valid"] == pytest.approx(one["valid"], rel=1e-4)


def poison(folder, rank, gradient_only, settings):
    model = toy_train(folder / "exp", loss=poisoned("utt3", gradient_only=gradient_only), **settings)
    torch.save(model.state_dict(), folder / f"weights.{rank}")


@pytest.mark.parametrize(("gradient_only", "what"), [(False, "the loss"), (True, "the gradient")])
def test_a_loss_that_is_not_finite_on_one_process_is_skipped_on_all(tmp_path, gradient_only, what):
    assert in_processes(2, poison, tmp_path, gradient_only, {"num_epochs": 2}) == [0, 0], outputs(tmp_path)
    (told, _) = [line for line in (tmp_path / "exp" / "train.log").read_text().splitlines() if "not finite for" in line]
    assert f"{what} is not finite for one of: " in told and "utt3" in told
    assert [line["bad_steps"] for line in read_history(tmp_path / "exp")] == [1, 1]
    assert all(line["bad_items"] >= 4 for line in read_history(tmp_path / "exp"))
    first, second = (torch.load(tmp_path / f"weights.{rank}", weights_only=True) for rank in (0, 1))
    assert same_weights(first, second) and all(torch.isfinite(value).all() for value in first.values())
    dumps = sorted(path.name for path in (tmp_path / "exp" / "bad_batches").iterdir())
    assert len(dumps) == (4 if gradient_only else 2) and all("-process-" in name for name in dumps)


def test_bad_steps_in_a_row_end_all_with_one_line(tmp_path):
    assert in_processes(2, poison, tmp_path, False, {"batch_size": 21, "max_bad_steps": 2, "num_epochs": 9}) == [1, 1]
    (line,) = [line for line in outputs(tmp_path).splitlines() if "giving up" in line]
    assert "2 bad steps in a row" in line


def test_one_process_writes_and_the_log_tells_what_is_shared(tmp_path):
    assert in_processes(2, train_toy_of_rank, tmp_path, "exp", {"num_epochs": 1}) == [0, 0]
    assert (tmp_path / "stderr.1").read_text() == ""
    log = (tmp_path / "exp" / "train.log").read_text()
    assert log.count("effective batch: 4 x 1 = 4 items; 5 steps an epoch x 1 epochs = 5 steps") == 1
    assert "2 processes: batch_size counts for all together, each takes 2 of the 4 items of a batch; effective" in log
    assert "batch normalisation: each process normalises by its own items; the running statistics are averaged" in log
    assert json.loads((tmp_path / "exp" / "done").read_text())["epochs"] == 1
    assert not list(tmp_path.glob("exp/.*"))


def test_a_second_training_of_several_processes_is_refused_with_one_line(tmp_path):
    toy_train(tmp_path / "exp", num_epochs=1)
    (tmp_path / "exp" / ".lock").write_text('{"host": "far-away", "pid": 1, "since": "2026-01-01T00:00:00"}\n')
    assert in_processes(2, train_toy_of_rank, tmp_path, "exp", {"num_epochs": 2}) == [1, 1]
    (line,) = outputs(tmp_path).splitlines()
    assert "in use by another training (process 1 on host far-away" in line


def test_more_processes_than_items_of_a_batch_are_refused(tmp_path):
    assert in_processes(2, train_toy_of_rank, tmp_path, "exp", {"batch_size": 1}) == [1, 1]
    (line,) = outputs(tmp_path).splitlines()
    assert line.endswith(": batch_size: expected an item or more for each of the 2 processes, got 1 for all together")


def test_too_few_items_for_the_batch_normalisation_of_each_process_are_one_line(tmp_path):
    assert in_processes(2, train_toy_of_rank, tmp_path, "exp", {"batch_size": 2}) == [1, 1]
    (line,) = [line for line in outputs(tmp_path).splitlines() if line.startswith("process ")]
    assert "batch_size: this network's batch normalisation needs batches of at least 4 items, 2 for each of" in line
    assert "the 2 processes; one got 1 (utt" in line


def dry(folder, rank):
    toy_train(folder / "exp", dry_run=True)


def test_a_dry_run_is_made_by_one_process(tmp_path):
    assert in_processes(2, dry, tmp_path) == [0, 0]
    assert outputs(tmp_path).count("all is well") == 1 and not (tmp_path / "exp").exists()


def freeze(folder, rank):
    model = plain_net()
    model.unused = nn.Linear(2, 2)
    model.forward = lambda x: model[2](model[1](model[0](x)))
    before = model.unused.weight.detach().clone()
    config = TrainConfig(num_epochs=1, batch_size=2, optimizer="adamw", weight_decay=0.5)
    train(model, toy_loss, ToySet(), None, folder / "exp", config, "cpu")
    assert torch.equal(model.unused.weight, before), "weight decay of a parameter that no process has a gradient for"


def test_what_no_process_has_a_gradient_for_stays_as_it_is(tmp_path):
    assert in_processes(2, freeze, tmp_path) == [0, 0], outputs(tmp_path)
