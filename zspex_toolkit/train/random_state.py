"""torch's random numbers, CPU and GPU: the state from which dropout goes on."""

from __future__ import annotations

import torch
from torch import Tensor

from zspex_toolkit.randomness import rng_for
from zspex_toolkit.train.processes import Processes


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


def gather_random_states(device: torch.device, processes: Processes) -> list[dict[str, Tensor]]:
    """:func:`get_random_state` of every process, in their order."""
    own = get_random_state(device)
    found = {kind: processes.gather_tensors(state) for kind, state in own.items()}
    return [{kind: states[rank] for kind, states in found.items()} for rank in range(processes.count)]
