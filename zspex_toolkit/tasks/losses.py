"""What a training minimises: ``losses: {name: {weight, options}}``, the same in every task.

A loss is a file ``losses/<name>.py``. It takes what it is computed from by the names of its positional parameters, from
what the task offers; its keyword-only parameters are its options.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zspex_toolkit.config import check_options, typed_options
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.registry import load


class Offer(NamedTuple):
    """A tensor that a task hands to losses which ask for it by its name."""

    shape: str  # a letter for each dimension: "RST" is (R, S, T)
    kind: str  # signal, score, flag (bool), class, known_class (-1: none of them), length (or None: all T)
    meaning: str


class Losses:
    """The weighted sum of a task's losses.

    Args:
        settings: ``{name: {weight, options}}``; left out, a weight is 1. A loss of weight 0 is left out.
        offers: what the task has, by name.
        task: its name, for messages.

    Attributes:
        inputs: names that each loss takes, by its own name.

    Raises:
        ConfigError: for an unknown loss or option, a value out of range, a loss that takes what the task does not
            offer, or no weight above 0. No data are needed: each loss is tried on made-up ones.
    """

    def __init__(self, settings: Mapping[str, Any], offers: Mapping[str, Offer], task: str):
        self._weights: dict[str, float] = {}
        self._functions: dict[str, Callable[..., Tensor]] = {}
        self.inputs: dict[str, tuple[str, ...]] = {}
        for name, entry in settings.items():
            function = load("losses", name)
            weight, options = _read_entry(f"losses.{name}", entry)
            check_options(function, options, f"losses.{name}.options")
            if weight:
                self._weights[name] = weight
                typed = typed_options(function, options, f"losses.{name}.options")
                self._functions[name] = functools.partial(function, **typed)
                self.inputs[name] = inputs_of(function)
                _check_inputs(name, self.inputs[name], offers, task)
        if not self._weights:
            raise ConfigError("losses: expected a weight above 0 for one of them")
        self(example(offers))

    def taking(self, name: str) -> list[str]:
        """Losses that take the tensor of this name."""
        return [loss for loss, inputs in self.inputs.items() if name in inputs]

    def drop(self, names: Collection[str]) -> None:
        """Leave these losses out from now on."""
        self.inputs = {name: inputs for name, inputs in self.inputs.items() if name not in names}

    def computable(self, given: Collection[str]) -> list[str]:
        """Losses that need nothing but the tensors of these names."""
        return [loss for loss, inputs in self.inputs.items() if set(inputs) <= set(given)]

    def __call__(self, tensors: Mapping[str, Tensor | None], *, partial: bool = False) -> tuple[Tensor, dict]:
        """The sum, and ``loss_<name>`` of each loss before it is weighted.

        Args:
            tensors: by name.
            partial: leave out losses that need others than these; not a number is reported for them.

        Raises:
            ConfigError: if none can be computed, or, unless ``partial``, one cannot.
        """
        total, report = None, {}
        for name, inputs in self.inputs.items():
            missing = [needed for needed in inputs if needed not in tensors]
            if missing and not partial:
                raise ConfigError(f"losses.{name}: takes {missing[0]}, which this network does not give; leave it out")
            if missing:
                report[f"loss_{name}"] = torch.tensor(torch.nan)
                continue
            try:
                value = self._functions[name](**{key: tensors[key] for key in inputs})
            except ConfigError as error:
                raise ConfigError(f"losses.{name}.options.{error}") from error
            report[f"loss_{name}"] = value.detach()
            total = self._weights[name] * value + (0 if total is None else total)
        if total is None:
            raise ConfigError(f"losses: none of {', '.join(self._weights)} can be computed from {', '.join(tensors)}")
        return total, report


def inputs_of(loss: Callable[..., Tensor]) -> tuple[str, ...]:
    """Names of the tensors that a loss takes: its parameters that are no options."""
    parameters = inspect.signature(loss).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY)


_SIZES = {"B": 4, "R": 4, "M": 2, "S": 1, "T": 16000, "K": 5, "D": 8}


def example(offers: Mapping[str, Offer], **sizes: int) -> dict[str, Tensor]:
    """A made-up batch of what a task offers; ``sizes`` by letter in place of the usual ones."""
    sizes, generator = _SIZES | sizes, torch.Generator().manual_seed(0)
    return {name: _made_up(offer, sizes, generator) for name, offer in offers.items()}


def _made_up(offer: Offer, sizes: Mapping[str, int], generator: torch.Generator) -> Tensor:
    shape = [sizes[letter] for letter in offer.shape]
    if offer.kind == "signal":
        return torch.randn(shape, generator=generator)
    if offer.kind == "score":
        return 2 * torch.rand(shape, generator=generator) - 1
    rows = torch.arange(*shape)
    if offer.kind == "flag":
        return rows % 2 == 0
    if offer.kind == "length":
        return sizes["T"] - 10 * rows
    return rows % sizes["K"] - (1 if offer.kind == "known_class" else 0)


def _read_entry(where: str, entry: Any) -> tuple[float, dict[str, Any]]:
    """Weight and options of an entry of ``losses``."""
    entry = {} if entry is None else entry
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where}: expected {{weight: ..., options: {{...}}}}, got {entry!r}")
    for key in entry:
        if key not in ("weight", "options"):
            near = get_close_matches(key, ("weight", "options"), n=1)
            hint = f"did you mean {near[0]}?" if near else "expected weight or options; what a loss takes is an option"
            raise ConfigError(f"{where}: unknown setting {key}; {hint}")
    weight, options = entry.get("weight", 1.0), entry.get("options") or {}
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
        raise ConfigError(f"{where}.weight: expected a finite number of 0 or more, got {weight!r}")
    if not isinstance(options, Mapping):
        raise ConfigError(f"{where}.options: expected {{name: value}}, got {options!r}")
    return weight, dict(options)


def _check_inputs(name: str, inputs: tuple[str, ...], offers: Mapping[str, Offer], task: str) -> None:
    for taken in inputs:
        if taken not in offers:
            near = get_close_matches(taken, offers, n=1)
            hint = f"the nearest that it offers is {near[0]}" if near else f"it offers {', '.join(offers)}"
            raise ConfigError(f"losses.{name}: takes {taken}, which {task} does not offer; {hint}")
