"""What an extractor costs, whatever it extracts: parameters, operations; and the memory and time that it took."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch

from zspex_toolkit.errors import UserError
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.jobs import read_jobs, run_jobs
from zspex_toolkit.extract.packed_model import load_model
from zspex_toolkit.extract.recording import OutputOptions
from zspex_toolkit.extract.separation import CHUNK_S
from zspex_toolkit.io.audio import audio_info
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
    return process_memory_mib("VmHWM")


class ListCost(NamedTuple):
    """What the jobs of a list took: memory of the process in MiB, and seconds of its processor."""

    imports_mib: float  # before the model is loaded
    first_mib: float  # the peak after the first job
    peak_mib: float  # and after all of them
    cpu_s: float  # all jobs but the first, reading and writing included
    audio_s: float  # their mixtures
    num_jobs: int


def measure_list(model: Path, jobs: Path) -> ListCost:
    """Do all jobs of a list on one thread, as ``zspex extract`` does; to be called in a fresh process.

    Args:
        model: folder of the extractor.
        jobs: list of two jobs or more, see :func:`~zspex_toolkit.extract.jobs.read_jobs`.

    Raises:
        UserError: if the list or the model is broken, or a job fails.
    """
    torch.set_num_threads(1)
    imports_mib, device = process_memory_mib("VmRSS"), torch.device("cpu")
    extractor, listed = Extractor(*load_model(model), "cpu"), read_jobs(jobs)
    options = OutputOptions("mono", "mixture", "int16", CHUNK_S)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        failed = run_jobs(extractor, listed[:1], options)
        first_mib, began = peak_memory_mib(device), time.process_time()
        failed += run_jobs(extractor, listed[1:], options)
    cpu_s = time.process_time() - began
    if failed:
        faults = [line for line in said.getvalue().splitlines() if line.startswith(f"{failed[0]}: ")]
        raise UserError(faults[0])
    lengths = [audio_info(job.mixture) for job in listed[1:]]
    audio_s = sum(info.num_samples / info.fs for info in lengths)
    return ListCost(imports_mib, first_mib, peak_memory_mib(device), cpu_s, audio_s, len(listed))


def process_memory_mib(name: str) -> float:
    """``VmRSS``, the memory that this process has now, or ``VmHWM``, its peak; the peak where Linux does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # the peak of getrusage may be that of the process that started this one
        found = re.search(rf"^{name}:\s*(\d+) kB", status.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return int(found[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
