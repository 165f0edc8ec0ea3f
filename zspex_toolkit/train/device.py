"""Which processor to compute on."""

from __future__ import annotations

import os

import torch

from zspex_toolkit.errors import ConfigError


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """The device of that name; ``auto`` is the first GPU if there is one, else the CPU.

    Under torchrun, ``auto`` and ``cuda`` are the GPU of this process's number on its machine.

    Raises:
        ConfigError: if the name is none of auto, cpu, cuda, cuda:N, this machine has no such GPU, or several processes
            would share it.

    >>> resolve_device("cpu")
    device(type='cpu')
    """
    number, count = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if name == "auto" and torch.cuda.is_available():
        name = "cuda"
    name = {"auto": "cpu", "cuda": f"cuda:{number}"}.get(str(name), name)
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device: expected auto, cpu or cuda:N, got '{name}'") from None
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device: expected auto, cpu or cuda:N, got '{name}'")
    if device.type == "cuda" and count > 1 and device.index != number:
        raise ConfigError(f"device: '{name}' would be shared by the {count} processes of this machine; use auto or cpu")
    num_gpus = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.type == "cuda" and (device.index or 0) >= num_gpus:
        found = f"{num_gpus} GPU(s)" if num_gpus else "no usable GPU"
        raise ConfigError(f"device: '{name}' is not there, this machine has {found}; use auto or cpu")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device
