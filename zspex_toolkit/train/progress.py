"""Where a training stands, apart from its weights: what a checkpoint needs to go on as if nothing had happened."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from zspex_toolkit.randomness import rng_for
from zspex_toolkit.train.processes import Processes


@dataclass
class Averages:
    """Means of statistics over items: each batch counts by its number of items.

    A statistic other than the loss may be over some items only; it is not a number where a batch has none of them, and
    such a batch does not count.
    """

    sums: dict[str, float] = field(default_factory=dict)
    num_items: int = 0
    num_without: dict[str, int] = field(default_factory=dict)  # of num_items, those in batches without the statistic

    def add(self, statistics: dict[str, float], num_items: int) -> None:
        """Add the means over a batch of ``num_items``."""
        for name, value in statistics.items():
            if math.isnan(value) and name != "loss":
                self.num_without[name] = self.num_without.get(name, 0) + num_items
                continue
            self.sums[name] = self.sums.get(name, 0.0) + value * num_items
        self.num_items += num_items

    def means(self) -> dict[str, float]:
        """Means over all items so far; none if there were none.

        >>> averages = Averages()
        >>> averages.add({"loss": 1.0}, 3)
        >>> averages.add({"loss": 5.0}, 1)
        >>> averages.means()
        {'loss': 2.0}
        """
        return {name: total / (self.num_items - self.num_without.get(name, 0)) for name, total in self.sums.items()}


@dataclass
class EpochStatistics:
    """What is summed up over the training part of one epoch."""

    averages: Averages = field(default_factory=Averages)
    grad_norm_sum: float = 0.0
    num_good_steps: int = 0
    num_bad_steps: int = 0
    num_bad_items: int = 0
    seconds: float = 0.0
    waited: float = 0.0  # seconds of these spent waiting for data

    def summary(self, validation_seconds: float) -> dict[str, float]:
        """Time and gradient of the epoch, for history.jsonl; ``data_share`` is that of its training part."""
        return {
            "seconds": round(self.seconds + validation_seconds, 3),
            "data_share": round(self.waited / self.seconds, 4) if self.seconds else 0.0,
            "grad_norm": self.grad_norm_sum / self.num_good_steps if self.num_good_steps else math.nan,
            "steps": self.num_good_steps + self.num_bad_steps,
            "items": self.averages.num_items + self.num_bad_items,
            "bad_steps": self.num_bad_steps,
            "bad_items": self.num_bad_items,
        }


@dataclass
class Progress:
    """Position, running statistics and early-stopping state."""

    epoch: int = 0  # whole epochs done
    step: int = 0  # steps done of the next one
    global_step: int = 0  # steps done in all epochs
    bad_in_a_row: int = 0
    metrics: list[float] = field(default_factory=list)  # best_metric of each epoch, sign turned so that lower is better
    running: EpochStatistics = field(default_factory=EpochStatistics)
    seconds: float = 0.0  # that all of this took, validations included
    seconds_to_finish: float = 0.0  # of these, for the validation and the weights of the last epoch

    def add_metric(self, metric: float) -> bool:
        """Note the metric of an epoch; True if it is the best so far (not a number never is)."""
        best = min((value for value in self.metrics if not math.isnan(value)), default=math.inf)
        self.metrics.append(metric)
        return metric < best or len(self.metrics) == 1

    def epochs_without_progress(self) -> int:
        """Epochs since the best one."""
        finite = [math.inf if math.isnan(value) else value for value in self.metrics]
        return len(finite) - 1 - finite.index(min(finite)) if finite else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for a checkpoint."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Progress:
        """The inverse of :meth:`to_dict`."""
        running = dict(values["running"])
        running["averages"] = Averages(**running["averages"])
        return cls(**{**values, "running": EpochStatistics(**running)})


def get_random_state(device: torch.device) -> dict[str, Tensor]:
    """State of the generators a training on ``device`` draws from, by type of device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_random_state(states: dict[str, Tensor], device: torch.device) -> None:
    """The inverse of :func:`get_random_state`; a GPU's state is left alone if there is none to restore."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


def seed_process(seed: int, processes: Processes, step: int = 0) -> None:
    """Begin the random numbers of this process: those of ``seed`` itself in the main one, others in the others."""
    if processes.is_main and not step:
        torch.manual_seed(seed)
    else:
        torch.manual_seed(int(rng_for(seed, "process", processes.rank, step).integers(2**63)))
