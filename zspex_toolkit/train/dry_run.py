"""A training in small: the largest batch, an ordinary one and a validation batch, before hours are spent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from zspex_toolkit import registry
from zspex_toolkit.errors import UserError
from zspex_toolkit.train.batches import BatchLoader, ItemSet, plan_steps, plan_validation
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.describe import describe_means
from zspex_toolkit.train.device import resolve_amp
from zspex_toolkit.train.forensics import names_of
from zspex_toolkit.train.optimizer import build_optimizer
from zspex_toolkit.train.step import Loss, Objective, check_metric, compute_gradients
from zspex_toolkit.train.validate import validate


def dry_run(
    model: nn.Module,
    loss: Loss,
    train_set: ItemSet,
    valid_set: ItemSet | None,
    config: TrainConfig,
    device: torch.device,
    log: Callable[[str], None],
) -> None:
    """Take a step on the largest batch and one on an ordinary batch, validate one batch; write nothing.

    The largest batch is that of the last epoch: the first ones may train a part of the network only.

    Raises:
        UserError: if a loss or gradient is not finite.
        ConfigError: if the optimiser, schedule or best_metric is unknown.
    """
    optimizer = build_optimizer(model, config)
    objective = Objective(model, loss, device, resolve_amp(config.amp, device))
    registry.load("train.schedules", config.schedule)
    largest, ordinary = largest_batch(train_set, config.batch_size), plan_steps(len(train_set), config, 0)[0][0]
    model.train()
    for name, epoch, indices in (("largest batch", config.num_epochs - 1, largest), ("ordinary batch", 0, ordinary)):
        optimizer.zero_grad(set_to_none=True)
        with contextlib.closing(BatchLoader(train_set, config, device)) as loader:
            batches = list(loader.load(epoch, [indices]))
        outcome = compute_gradients(objective, batches, config.clip_grad_norm)
        check_metric(outcome, config.best_metric[0])
        if not outcome.is_finite:
            raise UserError(f"dry run: loss or gradient not finite for: {names_of(batches)}")
        optimizer.step()
        log(f"dry run: {name} of {len(indices)} items: loss {outcome.statistics[0][0]['loss']:g}")
    if valid_set is not None:
        first = plan_validation(len(valid_set), config.batch_size)[0]
        batches = [largest_batch(valid_set, config.batch_size), first]
        with contextlib.closing(BatchLoader(valid_set, config, device)) as loader:
            statistics = validate(objective, loader, batches, seed=config.seed, log=log)
        log("dry run: validation: " + describe_means(statistics))
    if device.type == "cuda":
        log(f"dry run: at most {torch.cuda.max_memory_allocated(device) / 2**30:.2f} GiB of GPU memory")
    log("dry run: all is well")


def largest_batch(items: ItemSet, batch_size: int) -> np.ndarray:
    """Indices of the items of the largest ``size``; of any, if the set does not tell sizes."""
    if not hasattr(items, "size"):
        return np.arange(min(batch_size, len(items)))
    sizes = np.array([items.size(index) for index in range(len(items))])
    return np.argsort(-sizes, kind="stable")[:batch_size]
