import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch
from support.toy import ToySet, assert_same_training, poisoned, same_weights, toy_loss, toy_net, toy_train

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.io.revision import current_commit
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history
from zspex_toolkit.train.loop import train
from zspex_toolkit.train.signals import INTERRUPTED_STATUS, TrainingInterrupted


class FailsOnce:
    """The toy loss, but one of its calls raises."""

    def __init__(self, call):
        self.calls_left = call

    def __call__(self, model, batch):
        self.calls_left -= 1
        if self.calls_left == 0:
            raise KeyboardInterrupt
        return toy_loss(model, batch)


SETTINGS = [
    {"optimizer": "adam", "ema_decay": 0.9},
    {"optimizer": "sgd", "schedule": "plateau", "plateau_patience": 0, "accumulate": 2, "clip_grad_norm": 1.0},
    {"optimizer": "adamw", "weight_decay": 0.1, "learning_rate_scale": {"0.0": 0.1}, "amp": "bf16"},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_two_epochs_a_restart_and_two_more_equal_four(tmp_path, settings):
    whole = toy_train(tmp_path / "whole", num_epochs=4, **settings)
    toy_train(tmp_path / "parts", num_epochs=2, **settings)
    parts = toy_train(tmp_path / "parts", num_epochs=4, **settings)
    assert same_weights(whole.state_dict(), parts.state_dict())
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("call", [2, 5, 6, 7, 9, 13])
def test_a_failure_at_any_step_changes_nothing_after_a_restart(tmp_path, call):
    # An epoch has 5 training batches and 2 of validation.
    settings = {
        "num_epochs": 2,
        "schedule": "warmup_cosine",
        "warmup_steps": 3,
        "ema_decay": 0.9,
        "checkpoint_steps": 1,
    }
    whole = toy_train(tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        toy_train(tmp_path / "parts", loss=FailsOnce(call), **settings)
    parts = toy_train(tmp_path / "parts", **settings)
    assert same_weights(whole.state_dict(), parts.state_dict())
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


def start_toy(exp_dir, settings, seconds_per_item):
    command = [
        sys.executable,
        Path(__file__).parents[1] / "support" / "toy.py",
        exp_dir,
        json.dumps(settings),
        str(seconds_per_item),
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(f"{exp_dir}.log", "w"))


def wait_for(condition, process):
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, "the training ended or hung too early"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [0, 1])
def test_killed_in_the_middle_of_an_epoch_and_started_again_ends_with_the_same_weights(tmp_path, num_workers):
    settings = {"num_epochs": 3, "checkpoint_steps": 1, "num_workers": num_workers}
    process = start_toy(tmp_path / "killed", settings, 0.02)
    wait_for(lambda: list((tmp_path / "killed").glob("checkpoints/epoch-2-step-[34].pt")), process)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "done").exists()
    killed = toy_train(tmp_path / "killed", **settings)
    whole = toy_train(tmp_path / "whole", **{**settings, "num_workers": 0})
    assert "going on from" in (tmp_path / "killed" / "train.log").read_text()
    assert same_weights(whole.state_dict(), killed.state_dict())
    assert_same_training(tmp_path / "whole", tmp_path / "killed")


def test_sigterm_saves_and_exits_with_a_status_of_its_own_and_meanwhile_no_one_else_may_train(tmp_path):
    exp_dir, settings = tmp_path / "exp", {"num_epochs": 2, "num_workers": 1}
    process = start_toy(exp_dir, settings, 0.1)
    wait_for(lambda: (exp_dir / "train.log").exists() and "effective" in (exp_dir / "train.log").read_text(), process)
    with pytest.raises(UserError, match=rf"in use by another training \(process {process.pid} on host .*wait for it"):
        toy_train(exp_dir, **settings)
    process.terminate()
    assert process.wait(240) == INTERRUPTED_STATUS == 75
    assert "stopped by SIGTERM; start the same command again" in (exp_dir / "train.log").read_text()
    assert len(list(exp_dir.glob("checkpoints/epoch-1-step-*.pt"))) == 1
    settings["num_workers"] = 0
    continued = toy_train(exp_dir, **settings)
    assert same_weights(continued.state_dict(), toy_train(tmp_path / "whole", **settings).state_dict())


def test_a_training_that_was_taken_over_writes_nothing_more(tmp_path):
    def loss(model, batch):
        (tmp_path / ".lock").write_text('{"host": "far-away", "pid": 1, "since": "2026-01-01T00:00:00"}')
        return toy_loss(model, batch)

    with pytest.raises(UserError, match="another training has taken over"):
        toy_train(tmp_path, loss=loss)
    assert not list(tmp_path.glob("*.safetensors")) and not list(tmp_path.glob("checkpoints/*"))


def test_a_signal_during_validation_saves_the_trained_not_the_averaged_weights(tmp_path):
    def loss(model, batch):
        if not model.training:
            os.kill(os.getpid(), signal.SIGUSR1)
        return toy_loss(model, batch)

    with pytest.raises(TrainingInterrupted) as interrupt:
        toy_train(tmp_path / "parts", loss=loss, ema_decay=0.9)
    assert interrupt.value.code == INTERRUPTED_STATUS
    parts = toy_train(tmp_path / "parts", ema_decay=0.9)
    whole = toy_train(tmp_path / "whole", ema_decay=0.9)
    assert same_weights(whole.state_dict(), parts.state_dict())
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


class Untouchable(ToySet):
    def get(self, epoch, index):
        raise AssertionError("a finished training reads no data")


def test_a_finished_training_returns_at_once(tmp_path):
    toy_train(tmp_path, num_epochs=2)
    before = (tmp_path / "best.safetensors").stat().st_mtime_ns
    toy_train(tmp_path, num_epochs=2, train_set=Untouchable())
    assert (tmp_path / "best.safetensors").stat().st_mtime_ns == before
    assert "already trained" in (tmp_path / "train.log").read_text()


def test_extended_and_stopped_on_the_way_it_no_longer_looks_finished(tmp_path):
    toy_train(tmp_path, num_epochs=1)
    assert json.loads((tmp_path / "done").read_text())["epochs"] == 1
    with pytest.raises(KeyboardInterrupt):
        toy_train(tmp_path, num_epochs=3, loss=FailsOnce(10))
    assert len(read_history(tmp_path)) == 2 and not (tmp_path / "done").exists()


def test_refused_it_still_looks_finished(tmp_path):
    toy_train(tmp_path, num_epochs=1)
    with pytest.raises(ConfigError):
        toy_train(tmp_path, num_epochs=2, train_set=ToySet(9))
    assert (tmp_path / "done").exists()


def test_done_says_which_code_trained(tmp_path):
    toy_train(tmp_path, num_epochs=1)
    assert json.loads((tmp_path / "done").read_text())["commit"] == current_commit()


def test_changed_settings_are_refused_and_named(tmp_path):
    toy_train(tmp_path, num_epochs=1)
    with pytest.raises(ConfigError, match=r"done: this training began with other settings: seed 0 -> 1"):
        toy_train(tmp_path, num_epochs=1, seed=1)
    (tmp_path / "done").unlink()
    message = r"epoch-1.pt: this training began with other settings: learning_rate 0.001 -> 0.01; set them back"
    with pytest.raises(ConfigError, match=message):
        toy_train(tmp_path, num_epochs=2, learning_rate=0.01)


def test_other_data_and_another_network_are_refused(tmp_path):
    toy_train(tmp_path, num_epochs=1)
    with pytest.raises(ConfigError, match=r"began with \{'train': 21, 'valid': 7\} items, now there are .*22"):
        toy_train(tmp_path, train_set=ToySet(22))
    with pytest.raises(ConfigError, match=r"epoch-1.pt: not of this network: .*Missing key"):
        train(
            torch.nn.Linear(4, 1), toy_loss, ToySet(), ToySet(7), tmp_path, TrainConfig(batch_size=4, amp="none"), "cpu"
        )


def scripted(metrics):
    """A loss that reports, in validation, one of ``metrics`` per epoch (of two batches)."""
    values = [value for value in metrics for _ in range(2)]

    def loss(model, batch):
        value, statistics = toy_loss(model, batch)
        metric = 0.0 if model.training else values.pop(0)
        return value, {**statistics, "accuracy": torch.tensor(metric)}

    return loss


def test_the_best_epoch_is_kept_by_the_chosen_metric(tmp_path):
    settings = {"num_epochs": 4, "keep_last": 4, "best_metric": ("accuracy", "max")}
    toy_train(tmp_path, loss=scripted([0.3, 0.9, float("nan"), 0.9]), **settings)
    assert [line["best"] for line in read_history(tmp_path)] == [True, True, False, False]
    second = torch.load(tmp_path / "checkpoints" / "epoch-2.pt", weights_only=True)["model"]
    assert same_weights(safetensors.torch.load_file(tmp_path / "best.safetensors"), second)
    last = safetensors.torch.load_file(tmp_path / "last.safetensors")
    assert not same_weights(last, second)


def test_training_stops_when_nothing_improves_and_goes_on_when_patience_is_raised(tmp_path):
    settings = {"num_epochs": 9, "best_metric": ("accuracy", "max")}
    toy_train(tmp_path, loss=scripted([1.0, 3.0, 2.0, 3.0]), patience=2, **settings)
    assert len(read_history(tmp_path)) == 4
    toy_train(tmp_path, train_set=Untouchable(), patience=2, **settings)
    toy_train(tmp_path, loss=scripted([2.0] * 5), patience=3, **settings)
    assert len(read_history(tmp_path)) == 5
    assert json.loads((tmp_path / "done").read_text())["reason"] == "no progress"


def test_the_history_has_the_learning_rate_of_the_last_step(tmp_path):
    toy_train(tmp_path, schedule="cosine", num_epochs=2, learning_rate=1.0)
    # 10 steps: (1 + cos(pi k / 10)) / 2 at k = 4 and 9
    assert [round(line["learning_rate"], 4) for line in read_history(tmp_path)] == [0.6545, 0.0245]


def test_means_count_items_not_batches(tmp_path):
    def loss(model, batch):
        index = torch.tensor([float(name[3:]) for name in batch["ids"]])
        return index.mean() + 0 * model(batch["x"]).sum(), {"square": (index**2).mean()}

    # Batches of 2, 2 and 1 (merged in training, on its own in validation): the mean of 0..4 is 2, of squares 6.
    toy_train(tmp_path, loss=loss, train_set=ToySet(5), valid_set=ToySet(5), batch_size=2, num_epochs=1)
    (line,) = read_history(tmp_path)
    assert line["train"] == pytest.approx({"loss": 2.0, "square": 6.0})
    assert line["valid"] == pytest.approx({"loss": 2.0, "square": 6.0})


def test_without_a_validation_set_the_training_loss_picks_the_best(tmp_path):
    toy_train(tmp_path, valid_set=None, num_epochs=3)
    lines = read_history(tmp_path)
    assert [line["valid"] for line in lines] == [None] * 3
    best = [line["train"]["loss"] for line in lines if line["best"]]
    assert best[-1] == min(line["train"]["loss"] for line in lines)


def test_validation_and_saving_use_the_averaged_weights(tmp_path):
    model = toy_train(tmp_path, ema_decay=0.9, num_epochs=1)
    assert not same_weights(model.state_dict(), safetensors.torch.load_file(tmp_path / "best.safetensors"))
    average = toy_net()
    average.load_state_dict(safetensors.torch.load_file(tmp_path / "best.safetensors"))
    average.eval()
    data = ToySet(7, salt="valid")
    with torch.no_grad():
        value, _ = toy_loss(average, data.collate([data.get(0, index) for index in range(7)]))
    assert read_history(tmp_path)[0]["valid"]["loss"] == pytest.approx(value.item(), rel=1e-5)


def test_more_but_smaller_batches_accumulated_give_the_same_weights(tmp_path):
    def without_normalisation(exp_dir, **settings):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        train(
            model,
            toy_loss,
            ToySet(21),
            None,
            exp_dir,
            TrainConfig(num_epochs=3, optimizer="sgd", amp="none", **settings),
            "cpu",
        )
        return model.state_dict()

    big = without_normalisation(tmp_path / "big", batch_size=8)
    small = without_normalisation(tmp_path / "small", batch_size=2, accumulate=4)
    for name, value in big.items():
        torch.testing.assert_close(small[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("gradient_only", "what"), [(False, "the loss"), (True, "the gradient")])
def test_a_bad_batch_is_named_kept_for_replay_and_skipped(tmp_path, gradient_only, what):
    model = toy_train(tmp_path, loss=poisoned("utt3", gradient_only=gradient_only), num_epochs=2)
    log = (tmp_path / "train.log").read_text()
    assert f"{what} is not finite for one of: " in log and "utt3" in log
    assert [(line["bad_steps"], line["bad_items"] in (4, 5)) for line in read_history(tmp_path)] == [(1, True)] * 2
    # Neither the weights nor the running means of batch normalisation have seen the bad batch.
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    dumps = sorted((tmp_path / "bad_batches").glob("*.pt"))
    assert len(dumps) == 2
    batch = torch.load(dumps[0], weights_only=True)["batches"][0]
    data = ToySet()
    assert torch.equal(batch["x"], data.collate([data.get(0, int(name[3:])) for name in batch["ids"]])["x"])


def test_only_bad_batches_in_a_row_stop_the_training(tmp_path):
    everything = [f"utt{index}" for index in range(21)]
    with pytest.raises(
        UserError, match=r"3 bad steps in a row, giving up; epoch-1-step-3: the loss is .*utt\d+.*saved"
    ):
        toy_train(tmp_path / "a", loss=poisoned(*everything), max_bad_steps=3)
    toy_train(tmp_path / "b", loss=poisoned("utt1"), max_bad_steps=2, num_epochs=3)
    assert sum(line["bad_steps"] for line in read_history(tmp_path / "b")) == 3


def test_memory_that_does_not_suffice_is_one_line_with_the_shapes(tmp_path):
    def loss(model, batch):
        raise torch.cuda.OutOfMemoryError("tried to allocate 2 GiB")

    with pytest.raises(UserError, match=r"cpu has not enough memory for a batch of 4 items \(x \(4, 4\), y \(4, 1\)"):
        toy_train(tmp_path, loss=loss)


def test_an_empty_set_is_refused(tmp_path):
    with pytest.raises(UserError, match="the training set is empty"):
        toy_train(tmp_path, train_set=ToySet(0))


def test_an_unknown_metric_is_refused_after_the_first_step(tmp_path):
    with pytest.raises(ConfigError, match="best_metric: expected one of loss, mae, got 'accuracy'"):
        toy_train(tmp_path, best_metric=("accuracy", "max"), max_bad_steps=1)
    assert read_history(tmp_path) == []


def test_half_written_files_of_a_killed_process_are_removed(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / ".epoch-1.0123456789ab.pt").write_bytes(b"half")
    (tmp_path / ".best.0123456789ab.safetensors").write_bytes(b"half")
    toy_train(tmp_path, num_epochs=1)
    assert [path.name for path in tmp_path.rglob(".*")] == []
    assert not (tmp_path / ".lock").exists()


def test_an_unforeseen_error_ends_the_data_processes_too(tmp_path):
    def loss(model, batch):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        toy_train(tmp_path / "exp", loss=loss, num_workers=1)
    assert not multiprocessing.active_children()
