"""torch's random numbers, CPU and GPU: the state from which dropout goes on."""

from __future__ import annotations

import torch
from torch import Tensor


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
