"""Exponential moving average of a network's weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage:
    """Running average of all floating-point weights and buffers; counters are copied.

    The decay grows with the number of updates n, min(decay, (1 + n) / (10 + n)), so that the random
    initial weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float):
        self._decay = decay
        self._num_updates = 0
        # A state dict refers to the network's own tensors, so it follows every step.
        floating = [value.is_floating_point() for value in model.state_dict().values()]
        values = list(model.state_dict().values())
        self._model = [v for v, is_float in zip(values, floating, strict=True) if is_float]
        self._model_counters = [v for v, is_float in zip(values, floating, strict=True) if not is_float]
        self._average = [value.clone() for value in self._model]
        self._counters = [value.clone() for value in self._model_counters]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network's present weights."""
        decay = min(self._decay, (1 + self._num_updates) / (10 + self._num_updates))
        self._num_updates += 1
        torch._foreach_lerp_(self._average, self._model, 1 - decay)
        _copy(self._counters, self._model_counters)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Within, the network has the averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for ours, theirs in ((self._average, self._model), (self._counters, self._model_counters)):
            kept = [value.clone() for value in theirs]
            _copy(theirs, ours)
            _copy(ours, kept)

    def state_dict(self) -> dict[str, Any]:
        """Plain tensors and numbers, for a checkpoint."""
        return {"num_updates": self._num_updates, "average": self._average, "counters": self._counters}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self._num_updates = state["num_updates"]
        _copy(self._average, state["average"])
        _copy(self._counters, state["counters"])


def averaged(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """The weights of a checkpoint that would be validated: averaged ones where the training averages."""
    weights, average = dict(checkpoint["model"]), checkpoint["average"]
    if average:
        weights |= zip((name for name in weights if weights[name].is_floating_point()), average["average"], strict=True)
        others = (name for name in weights if not weights[name].is_floating_point())
        weights |= zip(others, average["counters"], strict=True)
    return weights


def _copy(destination: list[Tensor], source: list[Tensor]) -> None:
    for to, value in zip(destination, source, strict=True):
        to.copy_(value)
