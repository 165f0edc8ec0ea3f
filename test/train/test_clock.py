"""Trainings that end by the clock: a made-up one, which only the tests move on."""

import json
from types import SimpleNamespace

import pytest
from support.several import in_processes, outputs
from support.toy import same_weights, toy_loss, toy_train

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.registry import load
from zspex_toolkit.train import clock as clock_module
from zspex_toolkit.train.clock import Clock
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history
from zspex_toolkit.train.progress import Progress


@pytest.fixture
def time(monkeypatch):
    """The time that :class:`Clock` reads; ``time.now += 1`` moves it on by a second."""
    made_up = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: made_up.now))
    return made_up


def slow_loss(time, training=1.0, validation=0.5):
    """The toy loss; each batch takes so many seconds. An epoch has 5 batches, its validation 2."""

    def loss(model, batch):
        time.now += training if model.training else validation
        return toy_loss(model, batch)

    return loss


def stopped_after(time, seconds):
    end, slow = time.now + seconds, slow_loss(time)

    def loss(model, batch):
        if time.now >= end:
            raise KeyboardInterrupt
        return slow(model, batch)

    return loss


def factors(schedule, seconds_per_step, **settings):
    """Factors of a training of a minute, step by step, and how much of the time is over at each."""
    config, progress = TrainConfig(minutes=1, schedule=schedule, **settings), Progress()
    found, time = [], SimpleNamespace(now=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: time.now))
        clock = Clock(1, progress)
        while not clock.is_over():
            num_steps = clock.num_steps(len(found), 10**6)
            found.append((progress.seconds / 60, load("train.schedules", schedule)(len(found), num_steps, [], config)))
            time.now += seconds_per_step
            clock.tick()
    return found


def test_minutes_of_the_processor_pass_only_while_it_works(monkeypatch):
    made_up = SimpleNamespace(monotonic=lambda: 5000.0, process_time=lambda: made_up.used, used=20.0)
    monkeypatch.setattr(clock_module, "time", made_up)
    progress = Progress()
    clock = Clock(1, progress, minutes_of="processor")
    for used, seconds, over in ((50.0, 30.0, False), (80.0, 60.0, True)):
        made_up.used = used
        clock.tick()
        assert (progress.seconds, clock.is_over()) == (seconds, over)


@pytest.mark.parametrize("seconds_per_step", [0.05, 0.11])
def test_the_fall_takes_the_last_share_of_the_time_at_any_speed(seconds_per_step):
    found = factors("warmup_stable_decay", seconds_per_step, decay_share=0.25, warmup_steps=10)
    assert len(found) == pytest.approx(60 / seconds_per_step, abs=1)
    assert all(factor == 1 for share, factor in found[10:] if share < 0.745)
    for share, factor in found:
        if share > 0.755:
            assert factor == pytest.approx((1 - share) / 0.25, abs=0.01)


def test_a_cosine_is_half_way_when_half_the_time_is_over():
    for share, factor in factors("cosine", 0.1)[1:]:
        assert factor == pytest.approx(
            load("train.schedules", "cosine")(round(1000 * share), 1000, [], TrainConfig()), abs=0.01
        )


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_training_ends_in_time_with_a_validation_and_its_weights(tmp_path, time, num_workers):
    # An epoch takes 6 seconds; of the third there is time for two steps and the validation.
    toy_train(tmp_path, loss=slow_loss(time), num_epochs=100, minutes=15 / 60, num_workers=num_workers)
    assert time.now == 1015
    history = read_history(tmp_path)
    assert [line["steps"] for line in history] == [5, 5, 2] and history[-1]["valid"]
    done = json.loads((tmp_path / "done").read_text())
    assert (done["epochs"], done["reason"]) == (3, "time is over")
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == ["epoch-2.pt", "epoch-3.pt"]
    assert "finished after 3 epochs (time is over)" in (tmp_path / "train.log").read_text()


def test_a_training_whose_epochs_are_over_first_ends_with_them(tmp_path, time):
    plain = toy_train(tmp_path / "plain", schedule="cosine")
    timed = toy_train(tmp_path / "timed", loss=slow_loss(time), schedule="cosine", minutes=60)
    assert json.loads((tmp_path / "timed" / "done").read_text())["reason"] == "all epochs"
    assert same_weights(plain.state_dict(), timed.state_dict())


def test_time_that_was_taken_before_a_restart_counts(tmp_path, time):
    settings = {"num_epochs": 100, "minutes": 15 / 60, "schedule": "cosine"}
    whole = toy_train(tmp_path / "whole", loss=slow_loss(time), **settings)

    for seconds in (4, 7):  # in the first epoch, and in the second
        with pytest.raises(KeyboardInterrupt):
            toy_train(tmp_path / "parts", loss=stopped_after(time, seconds), checkpoint_steps=1, **settings)
        time.now += 3600
    parts = toy_train(tmp_path / "parts", loss=slow_loss(time), **settings)
    assert same_weights(whole.state_dict(), parts.state_dict())
    assert [line["steps"] for line in read_history(tmp_path / "parts")] == [5, 5, 2]


def test_it_is_finished_for_as_much_time_or_less_and_goes_on_for_more(tmp_path, time):
    settings = {"loss": slow_loss(time), "num_epochs": 100}
    toy_train(tmp_path, minutes=15 / 60, **settings)
    for minutes in (15 / 60, 10 / 60):
        toy_train(tmp_path, minutes=minutes, **settings)
        assert time.now == 1015
    toy_train(tmp_path, minutes=23 / 60, **settings)
    assert [line["steps"] for line in read_history(tmp_path)] == [5, 5, 2, 5, 1]
    toy_train(tmp_path, **settings | {"num_epochs": 6})
    assert [line["steps"] for line in read_history(tmp_path)] == [5, 5, 2, 5, 1, 5]


def test_minutes_below_zero_are_refused():
    with pytest.raises(ConfigError, match="minutes: expected at least 0, got -1"):
        TrainConfig(minutes=-1)


def train_of_rank(folder, rank):
    """Of two processes, the second by a clock that runs ten times as fast."""
    time = SimpleNamespace(now=0.0)
    clock_module.time = SimpleNamespace(monotonic=lambda: time.now)
    speed = 10 if rank else 1
    settings = {"num_epochs": 100, "minutes": 15 / 60, "schedule": "cosine"}
    toy_train(folder / "several", loss=slow_loss(time, speed, speed), **settings)


def test_several_processes_go_by_the_clock_of_the_main_one(tmp_path):
    assert in_processes(2, train_of_rank, tmp_path) == [0, 0], outputs(tmp_path)
    # The main process has a share of each of the 5 batches, and the first of the 2 of a validation.
    assert [line["steps"] for line in read_history(tmp_path / "several")] == [5, 5, 2]
