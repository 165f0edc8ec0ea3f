"""Exponential moving average of a network's weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


class WeightAverage:
    """Running average of all floating-point weights and buffers; counters are copied.

    The decay grows with the number of updates n, min(decay, (1 + n) / (10 + n)), so that the random
    initial weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float):
        self._decay = decay
        self._num_updates = 0
        self._model = model.state_dict()  # refers to the network's tensors, so it follows every step
        self._average = {name: value.clone() for name, value in self._model.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network's present weights."""
        decay = min(self._decay, (1 + self._num_updates) / (10 + self._num_updates))
        self._num_updates += 1
        for name, value in self._model.items():
            if value.is_floating_point():
                self._average[name].lerp_(value, 1 - decay)
            else:
                self._average[name].copy_(value)

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
        for name, value in self._model.items():
            kept = value.clone()
            value.copy_(self._average[name])
            self._average[name].copy_(kept)

    def state_dict(self) -> dict:
        """Plain tensors and numbers, for a checkpoint."""
        return {"num_updates": self._num_updates, "average": self._average}

    def load_state_dict(self, state: dict) -> None:
        """The inverse of :meth:`state_dict`."""
        self._num_updates = state["num_updates"]
        for name, value in state["average"].items():
            self._average[name].copy_(value)
