"""One step of the optimiser: forward and backward over one or more batches, clipping, update."""

from __future__ import annotations

import contextlib
import functools
import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.train.batches import Batch
from zspex_toolkit.train.processes import ALONE, Processes

Loss = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]


@dataclass(frozen=True)
class Objective:
    """What is minimised: the loss of a network, on a device, in a precision (bf16 or none), by all processes."""

    model: nn.Module
    loss: Loss
    device: torch.device
    amp: str
    processes: Processes = ALONE


@dataclass(frozen=True)
class StepOutcome:
    """Statistics of each batch (with its number of items) and the norm of the gradient before clipping.

    ``statistics`` are those of all processes, one after another; ``own`` are those of this one.
    """

    statistics: list[tuple[dict[str, float], int]]
    grad_norm: float
    own: list[tuple[dict[str, float], int]]

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.grad_norm) and all(math.isfinite(values["loss"]) for values, _ in self.statistics)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors on the device."""
    if device.type == "cpu":
        return batch
    return {k: v.to(device, non_blocking=True) if isinstance(v, Tensor) else v for k, v in batch.items()}


def evaluate_loss(objective: Objective, batch: Batch) -> tuple[Tensor, dict]:
    """Loss and statistics of a batch."""
    device = objective.device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=objective.amp == "bf16"):
        value, statistics = objective.loss(objective.model, to_device(batch, device))
    if value.dim():
        raise ConfigError(f"the loss must be a single number, got a tensor of shape {tuple(value.shape)}")
    return value, {"loss": value.detach(), **statistics}


def read_numbers(statistics: list[dict[str, Tensor]], extra: Tensor, device: torch.device) -> list[float]:
    """All values in one transfer: a GPU is waited for once per step."""
    values = [value for item in statistics for value in item.values()]
    if device.type == "cpu":
        return [value.item() if isinstance(value, Tensor) else value for value in (*values, extra)]
    tensors = [torch.as_tensor(value, dtype=torch.float64, device=device).detach() for value in (*values, extra)]
    return torch.stack(tensors).tolist()


def compute_gradients(objective: Objective, batches: list[Batch], clip_grad_norm: float) -> StepOutcome:
    """Gradient of the mean loss over the items of all batches of all processes, as if they were one, clipped to a norm.

    Args:
        batches: each weighs by its number of items; a process may have none.
        clip_grad_norm: largest norm of the whole gradient; 0 only measures it.

    Returns:
        The outcome; where it is not finite the gradients are useless. All processes get the same gradient.

    Raises:
        ConfigError: if a batch of one is too small for the network's batch normalisation.
    """
    model, device, processes = objective.model, objective.device, objective.processes
    num_items = sum(processes.gather(sum(len(batch["ids"]) for batch in batches)))
    statistics = []
    for batch in batches:
        with explained_memory(batch, device), _explained_normalisation(batch, processes.count):
            value, values = evaluate_loss(objective, batch)
            (value * (len(batch["ids"]) / num_items)).backward()
        statistics.append(values)
    sum_gradients(model, processes)
    parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
    norm = torch.nn.utils.clip_grad_norm_(parameters, clip_grad_norm or math.inf)
    *numbers, grad_norm = read_numbers(statistics, norm, device)
    remaining = iter(numbers)
    own = [({k: next(remaining) for k in v}, len(b["ids"])) for v, b in zip(statistics, batches, strict=True)]
    found = [(values, count) for part in processes.gather(own) for values, count in part]
    return StepOutcome(found, grad_norm, own)


def sum_gradients(model: nn.Module, processes: Processes) -> None:
    """Put, in place of the gradients, their sum over the processes.

    A parameter that no process has a gradient for stays without, so that the optimiser leaves it alone.
    """
    if processes.count == 1:
        return
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    own = sum(1 << place for place, parameter in enumerate(parameters) if parameter.grad is not None)
    touched = functools.reduce(operator.or_, processes.gather(own))
    chosen = [parameter for place, parameter in enumerate(parameters) if touched >> place & 1]
    for parameter in chosen:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    processes.sum_([parameter.grad for parameter in chosen])


@contextlib.contextmanager
def explained_memory(batch: Batch, device: torch.device) -> Iterator[None]:
    """Within, a GPU without enough memory is one line with the size of the batch.

    Raises:
        UserError: in place of torch's ``OutOfMemoryError``.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in batch.items() if isinstance(value, Tensor))
        raise UserError(
            f"{device} has not enough memory for a batch of {len(batch['ids'])} items ({shapes}); "
            f"halve batch_size and double accumulate, the steps stay as large: {str(error).splitlines()[0]}"
        ) from error


@contextlib.contextmanager
def _explained_normalisation(batch: Batch, count: int) -> Iterator[None]:
    """Which networks a batch of one does for, only they know: normalised over time, it has many values a channel."""
    try:
        yield
    except ValueError as error:
        if not str(error).startswith("Expected more than 1 value per channel"):
            raise
        needed = f"{2 * count} items, 2 for each of the {count} processes; one" if count > 1 else "2 items,"
        raise ConfigError(
            f"batch_size: this network's batch normalisation needs batches of at least {needed} got "
            f"{len(batch['ids'])} ({', '.join(batch['ids'])})"
        ) from error


def check_metric(outcome: StepOutcome, name: str) -> None:
    """Refuse a ``best_metric`` that the loss does not report, after the first step and not after the first epoch.

    Raises:
        ConfigError: naming the statistics there are.
    """
    known = outcome.statistics[0][0]
    if name not in known:
        raise ConfigError(f"best_metric: expected one of {', '.join(known)}, got '{name}'")
