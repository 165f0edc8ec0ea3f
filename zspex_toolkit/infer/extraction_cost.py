"""What an extractor costs, whatever it extracts: parameters, operations; and the memory that it took."""

from __future__ import annotations

import resource
import sys

import torch

from zspex_toolkit.infer.extractor import Extractor
from zspex_toolkit.models.extractor_contract import made_up_clue
from zspex_toolkit.nn.macs import count_macs

_SECONDS = 4


def extraction_cost(extractor: Extractor) -> dict[str, float]:
    """Parameters, size of the embedding (None where the clue has none), multiply-accumulates per second of mixture.

    A clue is made once, whatever the mixture's length, so its operations are not among them.
    """
    mixture = torch.zeros(1, _SECONDS * extractor.fs, device=extractor.device)
    clue = made_up_clue(extractor.network, torch.randn_like(mixture))
    return {
        "num_parameters": sum(parameter.numel() for parameter in extractor.network.parameters()),
        "embedding_dim": None if clue.embedding is None else clue.embedding.shape[1],
        "macs_per_second": count_macs(extractor.network.extract, mixture, clue) / _SECONDS,
    }


def peak_memory_mib(device: torch.device) -> float:
    """The most memory so far, in MiB: of this process, or what torch took of the GPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
