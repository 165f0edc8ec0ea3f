"""A training in words: what is about to happen, and what came out of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from zspex_toolkit import registry
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.processes import ALONE, Processes

_DATA_BOUND = 0.05  # share of the time spent waiting for data from which the data are too slow
_LONG_S = 10  # seconds from which slow loading is worth a word
_MANY = 100_000  # more steps, and epochs without progress, than anyone sets for a warm-up or for patience


def describe_training(
    model: nn.Module,
    sizes: dict[str, int],
    steps_per_epoch: int,
    device: torch.device,
    config: TrainConfig,
    processes: Processes = ALONE,
    amp: str = "none",
) -> Iterator[str]:
    """Lines on the network, the data, the effective batch and the schedule.

    Args:
        sizes: number of items of ``train`` and ``valid``.
        amp: the mixed precision that is taken.
    """
    parameters = list(model.parameters())
    trained = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    yield f"network: {sum(p.numel() for p in parameters):,} parameters, {trained:,} of them trained"
    yield f"data: {sizes['train']:,} training items, {sizes['valid']:,} validation items"
    yield (
        f"effective batch: {config.batch_size} x {config.accumulate} = {config.batch_size * config.accumulate} items; "
        f"{steps_per_epoch:,} steps an epoch x {config.num_epochs} epochs = "
        f"{steps_per_epoch * config.num_epochs:,} steps"
        + (f", {config.minutes:g} minutes at most" if config.minutes else "")
    )
    yield (
        f"learning rate: {config.learning_rate:g} by the rule {_rule_of(config)}, the same on any number of processes"
    )
    amp = f"{amp} (auto)" if config.amp == "auto" else amp
    yield (
        f"{config.optimizer}, amp {amp}; on {device}, {torch.get_num_threads()} thread(s), "
        f"{config.num_workers} data process(es)"
    )
    if processes.count > 1:
        yield from _describe_processes(model, config, processes)


def _describe_processes(model: nn.Module, config: TrainConfig, processes: Processes) -> Iterator[str]:
    share = config.batch_size / processes.count
    yield (
        f"{processes.count} processes: batch_size counts for all together, each takes {share:g} of the "
        f"{config.batch_size} items of a batch; effective batch, steps and learning rate are those of one process "
        "(to make use of more processes raise batch_size, and the learning rate as you see fit)"
    )
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules()):
        yield (
            "batch normalisation: each process normalises by its own items; the running statistics are averaged over "
            "the processes after every step"
        )


def _rule_of(config: TrainConfig) -> str:
    """The schedule and the settings that it looks at: ``warmup_cosine (min_learning_rate 0, warmup_steps 100)``."""
    schedule, seen = registry.load("train.schedules", config.schedule), _Seen(config)
    for step in (0, _MANY):
        schedule(step, _MANY, [0.0] * _MANY, seen)
    names = sorted(seen.names - {"learning_rate"})
    settings = ", ".join(f"{name} {getattr(config, name):g}" for name in names)
    return f"{config.schedule} ({settings})" if settings else config.schedule


class _Seen:
    """Settings that remember which of them were asked for."""

    def __init__(self, config: TrainConfig):
        self._config, self.names = config, set()

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return getattr(self._config, name)


def describe_epoch(line: dict[str, Any], config: TrainConfig) -> str:
    """A line of history.jsonl for people."""
    parts = [f"epoch {line['epoch']}/{config.num_epochs}"]
    for name in ("train", "valid"):
        if line[name]:
            parts.append(f"{name} {describe_means(line[name])}")
    parts.append(f"learning rate {line['learning_rate']:.3g}")
    parts.append(f"{line['seconds']:.1f} s, {line['data_share']:.0%} of the training waiting for data")
    if line["data_share"] > _DATA_BOUND and line["seconds"] > _LONG_S:
        parts[-1] += " (data-bound: raise num_workers)"
    if line["bad_steps"]:
        parts.append(f"{line['bad_steps']} steps ({line['bad_items']} items) skipped, not finite")
    return "; ".join(parts) + ("; best so far" if line["best"] else "")


def describe_means(means: dict[str, float]) -> str:
    """Statistics in words.

    >>> describe_means({"loss": 0.12345, "mae": 2.0})
    'loss 0.1235, mae 2'
    """
    return ", ".join(f"{name} {value:.4g}" for name, value in means.items())
