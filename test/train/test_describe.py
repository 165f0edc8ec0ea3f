import pytest
import torch
from support.toy import toy_net

from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.describe import describe_epoch, describe_training
from zspex_toolkit.train.processes import Processes


def test_frozen_parameters_are_counted_apart():
    model = toy_net()
    model[1].requires_grad_(False)
    lines = list(describe_training(model, {"train": 2000, "valid": 0}, 7, torch.device("cpu"), TrainConfig()))
    assert lines[0] == "network: 65 parameters, 56 of them trained"
    assert lines[1] == "data: 2,000 training items, 0 validation items"
    assert lines[-1].startswith("adam, amp none (auto); on cpu, ")


@pytest.mark.parametrize(
    ("schedule", "rule"),
    [
        ("constant", "constant"),
        ("cosine", "cosine (min_learning_rate 0)"),
        ("warmup_cosine", "warmup_cosine (min_learning_rate 0, warmup_steps 30)"),
        ("plateau", "plateau (min_learning_rate 0, plateau_factor 0.5, plateau_patience 3)"),
    ],
)
@pytest.mark.parametrize("processes", [Processes(), Processes(0, 2)])
def test_effective_batch_steps_and_the_rule_of_the_learning_rate_are_told(schedule, rule, processes):
    config = TrainConfig(batch_size=8, accumulate=2, num_epochs=3, schedule=schedule, warmup_steps=30)
    known = (toy_net(), {"train": 100, "valid": 0}, 7, torch.device("cpu"), config, processes)
    lines = list(describe_training(*known))
    assert "effective batch: 8 x 2 = 16 items; 7 steps an epoch x 3 epochs = 21 steps" in lines
    assert f"learning rate: 0.001 by the rule {rule}, the same on any number of processes" in lines
    assert sum("each takes 4 of the 8 items of a batch" in line for line in lines) == processes.count - 1


def test_a_long_epoch_that_waits_for_data_says_what_to_do():
    line = {"epoch": 2, "train": {}, "valid": {"loss": 0.5}, "learning_rate": 1e-3, "seconds": 60.0, "data_share": 0.75}
    text = describe_epoch({**line, "bad_steps": 0, "bad_items": 0, "best": True}, TrainConfig(num_epochs=9))
    assert text.endswith("60.0 s, 75% of the training waiting for data (data-bound: raise num_workers); best so far")


def test_an_epoch_says_what_was_skipped():
    line = {
        "epoch": 2,
        "train": {"loss": 0.5},
        "valid": None,
        "learning_rate": 1e-3,
        "seconds": 3.0,
        "data_share": 0.25,
    }
    text = describe_epoch({**line, "bad_steps": 2, "bad_items": 8, "best": False}, TrainConfig(num_epochs=9))
    assert text == (
        "epoch 2/9; train loss 0.5; learning rate 0.001; 3.0 s, 25% of the training waiting for data; "
        "2 steps (8 items) skipped, not finite"
    )
