"""Statistics of a network over the validation set."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from zspex_toolkit.train.batches import BatchLoader
from zspex_toolkit.train.forensics import names_of
from zspex_toolkit.train.log import progress_bar
from zspex_toolkit.train.memory import explained_memory
from zspex_toolkit.train.progress import Averages
from zspex_toolkit.train.step import Loss, evaluate_loss, read_numbers


@torch.no_grad()
def validate(
    model: nn.Module,
    loss: Loss,
    loader: BatchLoader,
    batches: list[np.ndarray],
    *,
    device: torch.device,
    amp: str,
    seed: int,
    log: Callable[[str], None],
    stop: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Means over all items of the batches, in evaluation mode.

    The items are those of epoch 0 and the random numbers those of ``seed``, so epochs can be compared; the random
    state of the training is left as it was. ``stop`` is called before every batch and may raise.
    """
    averages = Averages()
    was_training = model.training
    model.eval()
    with (
        torch.random.fork_rng([device] if device.type == "cuda" else []),
        progress_bar("validation", len(batches)) as bar,
    ):
        torch.manual_seed(seed)
        for batch in loader.load(0, batches):
            stop()
            with explained_memory(batch, device):
                value, statistics = evaluate_loss(model, loss, batch, device, amp)
            *numbers, last = read_numbers([statistics], value, device)
            if not math.isfinite(last):
                log(f"validation: the loss is {last} for one of: {names_of([batch])}")
            averages.add(dict(zip(statistics, numbers, strict=True)), len(batch["ids"]))
            bar.update()
    model.train(was_training)
    return averages.means()
