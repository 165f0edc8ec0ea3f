"""A small network without dropout and batch normalisation, which several processes share out exactly; a command.

python -m support.plain --exp_dir EXP_DIR SECONDS_PER_ITEM
"""

import sys

import torch
from torch import nn

from support.toy import ToySet, toy_loss
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.loop import train


def train_plain(exp_dir, seconds_per_item=0.0):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    # Single precision on every machine: under bf16 a batch in two parts rounds otherwise than in one.
    config = TrainConfig(2, learning_rate=0.02, batch_size=4, log_every=1, checkpoint_steps=1, amp="none")
    train_set = ToySet(seconds_per_item=seconds_per_item)
    train(model, toy_loss, train_set, ToySet(9, salt="valid"), exp_dir, config, "cpu")


if __name__ == "__main__":
    torch.set_num_threads(1)
    train_plain(sys.argv[2], float(sys.argv[3]))
