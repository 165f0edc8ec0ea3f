"""One figure of the extractors' benchmark: one kind of work, of one network, on one device, computed in one way."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.data.trial_rows import TrialRow, collate_rows
from zspex_toolkit.extract.cost import peak_memory_mib, process_memory_mib
from zspex_toolkit.nn.multi_scale.speech_coder import overlap_add
from zspex_toolkit.nn.pointwise import Rectifier
from zspex_toolkit.nn.sequence_norm import SequenceNorm
from zspex_toolkit.nn.tcn import dilated_depthwise
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.tasks.extraction_loss import ExtractionLoss

WORKS = ("training", "extraction")
# eager: in single precision. bf16: products in half precision. compile: through torch.compile.
MODES = ("eager", "bf16", "compile", "compile_bf16")

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Cell:
    """What to measure.

    Attributes:
        spec: the network.
        device: cpu or cuda:N.
        mode: one of MODES.
        work: training (a step of Adam over ``batch_size`` mixtures) or extraction (one mixture, with its enrollment).
        seconds: of every mixture and enrollment.
        num_runs: timed; one more before them is not.
        num_threads: of a CPU; 0: as many as torch takes.
        clock: wall; or cpu, the time of this process on all its threads, which others on the machine disturb less.
    """

    spec: ExtractorSpec = field(hash=False)  # which is equal to another, but has no hash
    device: str
    mode: str
    work: str
    seconds: float
    batch_size: int
    num_runs: int
    num_threads: int
    clock: str = "wall"


@dataclass(frozen=True)
class Figure:
    """What was measured: the shortest run in seconds, and the memory that the work took, in MiB.

    Or why there is none: a machine without compiler, a GPU with too little memory.
    """

    seconds: float | None = None
    memory_mib: float | None = None
    failure: str | None = None


def measure_cell(cell: Cell) -> Figure:
    """Measure in this process, whose peak memory should be no other's: start a fresh one for it.

    Memory is the peak less what the process (or, of a GPU, torch) held before the first run: without the network.
    """
    if cell.num_threads:
        torch.set_num_threads(cell.num_threads)
    device = torch.device(cell.device)
    try:
        run = prepare(cell, device)
        before = held_memory_mib(device)
        seconds = [_timed(run, device, CLOCKS[cell.clock]) for _ in range(cell.num_runs + 1)][1:]
    except RuntimeError as fault:  # out of memory, no compiler
        return Figure(failure=f"{type(fault).__name__}: {str(fault).strip().splitlines()[0]}")
    return Figure(min(seconds), max(peak_memory_mib(device) - before, 0.0))  # the kernel counts pages now and then


def prepare(cell: Cell, device: torch.device) -> Callable[[], None]:
    """A function that does the work once."""
    torch.manual_seed(0)
    network = build_extractor(cell.spec).to(device)
    return _training(network, cell, device) if cell.work == "training" else _extraction(network, cell, device)


def held_memory_mib(device: torch.device) -> float:
    """Memory in use now, in MiB: of this process, or torch's on the GPU."""
    gc.collect()
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / 2**20
    return process_memory_mib("VmRSS")


def _training(network: nn.Module, cell: Cell, device: torch.device) -> Callable[[], None]:
    network.train()
    loss, optimizer = ExtractionLoss(), torch.optim.Adam(network.parameters())
    batch = {key: _to(value, device) for key, value in draw_batch(cell).items()}
    compute = torch.compile(network) if cell.mode.startswith("compile") else network

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with _precision(cell, device):
            value, _ = loss(compute, batch)
        value.backward()
        optimizer.step()

    return step


def _extraction(network: nn.Module, cell: Cell, device: torch.device) -> Callable[[], None]:
    network.eval().requires_grad_(False)
    mixture, enrollment = (0.1 * torch.randn(1, num_samples(cell), device=device) for _ in range(2))

    def extract(mixture: Tensor, enrollment: Tensor) -> Tensor:
        return network.extract(mixture, network.clue(enrollment))

    compute = torch.compile(extract) if cell.mode.startswith("compile") else extract

    def work() -> None:
        with torch.inference_mode(), _precision(cell, device):
            compute(mixture, enrollment)

    return work


def num_samples(cell: Cell) -> int:
    """Of every signal."""
    return round(cell.seconds * cell.spec.fs)


def draw_batch(cell: Cell) -> dict[str, Any]:
    """A training batch of noise: what a step costs does not depend on what it hears."""
    rng = np.random.default_rng(0)

    def row(number: int) -> TrialRow:
        target, interferer, enrollment = 0.1 * rng.standard_normal((3, num_samples(cell)), dtype=np.float32)
        signals = (target + interferer, target, enrollment)
        return TrialRow(str(number), *signals, number % cell.spec.num_speakers, True, sources=(target, interferer))

    return collate_rows([[row(number)] for number in range(cell.batch_size)])


def _precision(cell: Cell, device: torch.device) -> contextlib.AbstractContextManager:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=cell.mode.endswith("bf16"))


def _to(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value


def _timed(run: Callable[[], None], device: torch.device, clock: Callable[[], float]) -> float:
    start = clock()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - start


def processor_name(device: str) -> str:
    """What computes, in words."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else sys.platform}, {os.cpu_count()} cores"


def instructions() -> str:
    """Instruction sets of the CPU that decide how quickly torch computes, and which of them it uses."""
    names = {"avx2": "AVX2", "avx512_f": "AVX-512", "avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX"}
    has = getattr(torch.cpu, "get_capabilities", dict)()
    found = [name for key, name in names.items() if has.get(key)]
    found = ", ".join(found) or f"none of {', '.join(names.values())}"
    return f"{found}; torch uses {torch.backends.cpu.get_cpu_capability()}"


BATCH, FRAMES, CHANNELS, DILATION, KERNEL = 2, 800, 256, 16, 160


@dataclass(frozen=True)
class Formulation:
    """Two ways to one result.

    Attributes:
        name: the layer.
        plain_name: torch's own for it.
        ours, plain: functions of frames (B, L, C), with a gradient.
    """

    name: str
    plain_name: str
    ours: Callable[[Tensor], Tensor]
    plain: Callable[[Tensor], Tensor]


def formulations() -> Iterator[Formulation]:
    """Every layer that is not computed as torch's own layer of that name does."""

    def channels_first(layer: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda frames: layer(frames.transpose(1, 2)).transpose(1, 2)

    rectifier = Rectifier()
    yield Formulation("PReLU", "functional.prelu", rectifier, lambda frames: functional.prelu(frames, rectifier.weight))
    norm = SequenceNorm(CHANNELS, causal=False)
    group_norm = channels_first(lambda frames: functional.group_norm(frames, 1, norm.weight, norm.bias, norm.eps))
    yield Formulation("global layer norm", "functional.group_norm", norm, group_norm)
    taps = nn.Conv1d(CHANNELS, CHANNELS, 3, padding=DILATION, dilation=DILATION, groups=CHANNELS)
    padding = (0, 0, DILATION, DILATION)
    yield Formulation(
        "dilated depthwise convolution",
        "Conv1d",
        lambda frames: dilated_depthwise(functional.pad(frames, padding), taps),
        channels_first(taps),
    )
    synthesis = nn.ConvTranspose1d(CHANNELS, 1, KERNEL, KERNEL // 16, bias=False)
    yield Formulation(
        "decoder",
        "ConvTranspose1d",
        lambda frames: overlap_add(frames, synthesis),
        lambda frames: synthesis(frames.transpose(1, 2))[:, 0],
    )


def measure_formulations(num_runs: int = 5) -> dict[str, tuple[float, float]]:
    """CPU seconds of a forward and backward pass, ours and torch's own, the shortest of alternating runs on one thread.

    Returns:
        by :attr:`Formulation.name` and :attr:`Formulation.plain_name`, joined by " / ".
    """
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {f"{one.name} / {one.plain_name}": _measure(one, num_runs) for one in formulations()}
    finally:
        torch.set_num_threads(num_threads)


def _measure(formulation: Formulation, num_runs: int) -> tuple[float, float]:
    frames = torch.randn(BATCH, FRAMES, CHANNELS, requires_grad=True)
    rounds = [[_seconds(way, frames) for way in (formulation.ours, formulation.plain)] for _ in range(num_runs + 1)]
    ours, plain = (min(column) for column in zip(*rounds[1:], strict=True))
    return ours, plain


def _seconds(layer: Callable[[Tensor], Tensor], frames: Tensor) -> float:
    start = time.process_time()
    out = layer(frames)
    out.backward(torch.ones_like(out))
    return time.process_time() - start
