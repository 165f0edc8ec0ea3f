import json
import math

import torch
from support.several import in_processes

from zspex_toolkit.train.processes import joined
from zspex_toolkit.train.progress import (
    Averages,
    EpochStatistics,
    Progress,
    get_random_state,
    seed_process,
    set_random_state,
)


def test_epochs_since_the_best_are_counted_and_not_a_number_is_never_best():
    progress = Progress()
    assert [progress.add_metric(value) for value in (math.nan, 3.0, 2.0, 2.0, math.nan)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert progress.epochs_without_progress() == 2


def test_no_epoch_is_no_lack_of_progress():
    assert Progress().epochs_without_progress() == 0


def test_the_share_of_waiting_is_of_the_training_part():
    running = EpochStatistics(
        Averages({}, 32),
        grad_norm_sum=6.0,
        num_good_steps=4,
        num_bad_steps=1,
        num_bad_items=8,
        seconds=10.0,
        waited=2.5,
    )
    assert running.summary(validation_seconds=5.0) == {
        "seconds": 15.0,
        "data_share": 0.25,
        "grad_norm": 1.5,
        "steps": 5,
        "items": 40,
        "bad_steps": 1,
        "bad_items": 8,
    }
    assert math.isnan(EpochStatistics().summary(0.0)["grad_norm"])


def test_a_batch_without_rows_for_a_statistic_does_not_count_for_it():
    averages = Averages()
    averages.add({"loss": 1.0, "si_sdr": math.nan}, 2)
    averages.add({"loss": 4.0, "si_sdr": 7.0}, 1)
    assert averages.means() == {"loss": 2.0, "si_sdr": 7.0}


def test_a_loss_that_is_not_a_number_is_never_passed_over():
    averages = Averages()
    averages.add({"loss": math.nan}, 2)
    averages.add({"loss": 4.0}, 1)
    assert math.isnan(averages.means()["loss"])


def draw(results, rank, step):
    with joined(torch.device("cpu")) as processes:
        seed_process(3, processes, step)
        states = processes.gather(get_random_state(torch.device("cpu")))
        drawn = torch.rand(2).tolist()
        own = [state["cpu"].tolist() for state in states]
    (results / str(rank)).write_text(json.dumps([drawn, own]))


def test_every_process_draws_its_own_numbers_and_the_main_one_those_of_a_process_alone(tmp_path):
    assert in_processes(2, draw, tmp_path, 0) == [0, 0]
    (first, states), (second, same) = (json.loads((tmp_path / str(rank)).read_text()) for rank in (0, 1))
    torch.manual_seed(3)
    assert first == torch.rand(2).tolist() != second and states == same
    for drawn, state in zip((first, second), states, strict=True):
        set_random_state({"cpu": torch.tensor(state, dtype=torch.uint8)}, torch.device("cpu"))
        assert torch.rand(2).tolist() == drawn
