"""The optimiser of a network: parameter groups with their own learning rates."""

from __future__ import annotations

import difflib

import torch
from torch import nn

from zspex_toolkit import registry
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.processes import ALONE, Processes


def build_optimizer(model: nn.Module, config: TrainConfig, processes: Processes = ALONE) -> torch.optim.Optimizer:
    """The optimiser over all parameters that require a gradient; all processes of a training must call it.

    One whose steps depend on the machine has a method ``agree(processes)``.

    Raises:
        ConfigError: if the optimiser or a prefix in ``learning_rate_scale`` is unknown, or nothing can be trained.
    """
    optimizer = registry.load("train.optimizers", config.optimizer)(parameter_groups(model, config), config)
    if hasattr(optimizer, "agree"):
        optimizer.agree(processes)
    return optimizer


def parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict]:
    """One group per factor of ``learning_rate_scale``: ``params``, ``lr`` and ``scale``.

    A prefix holds for the module of that name and everything in it; the longest prefix wins.

    Raises:
        ConfigError: if a prefix names no parameter, or no parameter requires a gradient.
    """
    names = [name for name, _ in model.named_parameters()]
    for prefix in config.learning_rate_scale:
        if not any(_within(name, prefix) for name in names):
            _complain(prefix, names)
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            prefix = max((p for p in config.learning_rate_scale if _within(name, p)), key=len, default=None)
            groups.setdefault(config.learning_rate_scale.get(prefix, 1.0), []).append(parameter)
    if not groups:
        raise ConfigError("nothing to train: every parameter of the network is frozen")
    return [{"params": params, "lr": config.learning_rate * scale, "scale": scale} for scale, params in groups.items()]


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give each group ``learning_rate`` times its ``scale``."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["scale"]


def _within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix.rstrip(".") + ".")


def _complain(prefix: str, names: list[str]) -> None:
    modules = sorted({name.rpartition(".")[0] or name for name in names} | {name.partition(".")[0] for name in names})
    near = difflib.get_close_matches(prefix, modules, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"expected one of: {', '.join(modules)}"
    raise ConfigError(f"learning_rate_scale: the network has no part '{prefix}'; {hint}")
