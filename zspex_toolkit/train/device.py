"""Which processor to compute on, and in which precision."""

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


def resolve_amp(amp: str, device: torch.device) -> str:
    """``bf16`` or ``none``: what ``amp`` means on a device; ``auto`` is bf16 where the device multiplies it.

    Those are GPUs from NVIDIA's Ampere on, and processors with AVX512-BF16 or AMX. Others only convert it: a training
    step then takes several times as long as in single precision.

    >>> resolve_amp("none", torch.device("cpu"))
    'none'
    """
    if amp != "auto":
        return amp
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "none"
    has = getattr(torch.cpu, "get_capabilities", dict)()  # which older versions of torch do not tell
    multiplies = has.get("avx512_bf16") or has.get("amx_bf16")
    # The environment may hold torch to older instructions than the processor has.
    return "bf16" if multiplies and torch.backends.cpu.get_cpu_capability() == "AVX512" else "none"


def keep_few_primitives() -> None:
    """Has oneDNN keep 16 compiled operations instead of 1,024, unless the environment says how many.

    Every length of a recording needs its own. They are small, but lie all over the heap, between the activations: what
    is freed between them is of no use to the next, larger recording, and memory grows with the number of lengths. It
    must be called before the first operation of the process.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
