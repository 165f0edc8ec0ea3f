"""Which processor to compute on."""

from __future__ import annotations

import torch

from zspex_toolkit.errors import ConfigError


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """The device of that name; ``auto`` is the first GPU if there is one, else the CPU.

    Raises:
        ConfigError: if the name is none of auto, cpu, cuda, cuda:N, or this machine has no such GPU.

    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device: expected auto, cpu or cuda:N, got '{name}'") from None
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device: expected auto, cpu or cuda:N, got '{name}'")
    num_gpus = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.type == "cuda" and (device.index or 0) >= num_gpus:
        found = f"{num_gpus} GPU(s)" if num_gpus else "no usable GPU"
        raise ConfigError(f"device: '{name}' is not there, this machine has {found}; use auto or cpu")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device
