"""A task of a second: a small network with dropout and batch normalisation learns a sum; also a command.

python toy.py EXP_DIR '{"num_epochs": 4}' SECONDS_PER_ITEM
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn

from zspex_toolkit.randomness import rng_for
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history
from zspex_toolkit.train.loop import train


class ToySet:
    """Random vectors, new in every epoch, and their sums."""

    def __init__(self, num_items=21, seconds_per_item=0.0, salt="train"):
        self._num_items, self._seconds_per_item, self._salt = num_items, seconds_per_item, salt

    def __len__(self):
        return self._num_items

    def name(self, index):
        return f"utt{index}"

    def get(self, epoch, index):
        time.sleep(self._seconds_per_item)
        x = rng_for(1, self._salt, epoch, index).standard_normal(4).astype(np.float32)
        return {"id": self.name(index), "x": x, "y": x.sum(keepdims=True)}

    def collate(self, items):
        return {
            "ids": [item["id"] for item in items],
            "x": torch.from_numpy(np.stack([item["x"] for item in items])),
            "y": torch.from_numpy(np.stack([item["y"] for item in items])),
        }


def toy_net(seed=0):
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2))
    return nn.Sequential(body, nn.Linear(8, 1))


def toy_loss(model, batch):
    error = model(batch["x"]) - batch["y"]
    return (error**2).mean(), {"mae": error.abs().mean()}


def poisoned(*names, gradient_only=False):
    """The toy loss, in training not finite for these items, or finite with a gradient that is not."""

    def loss(model, batch):
        value, statistics = toy_loss(model, batch)
        if model.training and set(names) & set(batch["ids"]):
            # sqrt(0) is finite, its gradient is not.
            value = value + (0 * value).sqrt() if gradient_only else value + model(batch["x"] * float("inf")).sum()
        return value, statistics

    return loss


def toy_train(exp_dir, *, loss=toy_loss, train_set=None, valid_set="default", seconds_per_item=0.0, **settings):
    """Train a new network and return it; settings are those of TrainConfig."""
    model = toy_net()
    train_set = ToySet(seconds_per_item=seconds_per_item) if train_set is None else train_set
    valid_set = ToySet(7, salt="valid") if valid_set == "default" else valid_set
    config = TrainConfig(**{"num_epochs": 2, "batch_size": 4, "amp": "none", **settings})
    train(model, loss, train_set, valid_set, exp_dir, config, "cpu")
    return model


def same_weights(one, other):
    """Whether two state dicts are equal bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def history_without_times(exp_dir):
    """What an epoch of every run of the same training has in its line of history.jsonl."""
    return [{k: v for k, v in line.items() if k not in ("seconds", "data_share")} for line in read_history(exp_dir)]


def assert_same_training(one, other):
    """Weights, best weights and history of two experiment directories are equal bit for bit."""
    for name in ("best.safetensors", "last.safetensors"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert history_without_times(one) == history_without_times(other)


if __name__ == "__main__":
    torch.set_num_threads(1)
    toy_train(sys.argv[1], seconds_per_item=float(sys.argv[3]), **json.loads(sys.argv[2]))
