"""Statistics of a network over the validation set."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from zspex_toolkit.train.batches import Batch, BatchLoader
from zspex_toolkit.train.forensics import names_of
from zspex_toolkit.train.log import progress_bar
from zspex_toolkit.train.progress import Averages
from zspex_toolkit.train.step import Objective, evaluate_loss, explained_memory, read_numbers


@torch.no_grad()
def validate(
    objective: Objective,
    loader: BatchLoader,
    batches: list[np.ndarray],
    *,
    seed: int,
    log: Callable[[str], None],
    stop: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Means over all items of the batches, in evaluation mode.

    The items are those of epoch 0 and the random numbers those of ``seed``, so epochs can be compared; the random
    state of the training is left as it was. ``stop`` is called before every batch and may raise.

    Several processes take whole batches in turn and add up in the order of the batches: the means are those of one
    process, to the bit, if the network draws no random numbers.
    """
    model, device, processes = objective.model, objective.device, objective.processes
    averages = Averages()
    was_training = model.training
    model.eval()
    with (
        torch.random.fork_rng([device] if device.type == "cuda" else []),
        progress_bar("validation", len(batches)) as bar,
    ):
        torch.manual_seed(seed)
        loading = loader.load(0, batches[processes.rank :: processes.count])
        for first in range(0, len(batches), processes.count):
            stop()
            is_busy = first + processes.rank < len(batches)
            own = _evaluate(objective, next(loading)) if is_busy else None
            for found in filter(None, processes.gather(own)):
                if not math.isfinite(found["loss"]):
                    log(f"validation: the loss is {found['loss']} for one of: {found['names']}")
                averages.add(found["statistics"], found["num_items"])
                bar.update()
    model.train(was_training)
    return averages.means()


def _evaluate(objective: Objective, batch: Batch) -> dict[str, Any]:
    with explained_memory(batch, objective.device):
        value, statistics = evaluate_loss(objective, batch)
    *numbers, last = read_numbers([statistics], value, objective.device)
    return {
        "loss": last,
        "names": names_of([batch]),
        "statistics": dict(zip(statistics, numbers, strict=True)),
        "num_items": len(batch["ids"]),
    }
