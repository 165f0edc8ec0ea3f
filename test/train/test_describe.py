import torch
from toy import toy_net

from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.describe import describe_epoch, describe_training


def test_frozen_parameters_are_counted_apart():
    model = toy_net()
    model[1].requires_grad_(False)
    lines = list(describe_training(model, {"train": 2000, "valid": 0}, 7, torch.device("cpu"), TrainConfig()))
    assert lines[0] == "network: 65 parameters, 56 of them trained"
    assert lines[1] == "data: 2,000 training items, 0 validation items"


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
