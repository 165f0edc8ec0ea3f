"""What the extractors cost on this machine: training steps, extraction and memory, computed in several ways."""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from zspex_toolkit.bench.cells import (
    CLOCKS,
    MODES,
    WORKS,
    Cell,
    Figure,
    instructions,
    measure_cell,
    measure_formulations,
    processor_name,
)
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.atomic import write_json, write_text
from zspex_toolkit.io.revision import current_commit
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.train.device import resolve_amp, resolve_device

Figures = dict[Cell, Figure]
_DEFAULT_MODES = {"cpu": ("eager", "bf16"), "cuda": ("eager", "bf16", "compile", "compile_bf16")}
_HEAD = """\
| network | device | computed | training steps/s | x eager | MiB | extraction, real-time factor | x eager | MiB |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


@dataclass(frozen=True)
class Config:
    """Settings of benchmark."""

    out: Path  # folder for benchmark.md and benchmark.json
    extractors: tuple[str, ...] = ("spex_plus", "zspex")  # files under models/extractors/
    extractor_options: dict[str, Any] = field(default_factory=dict)  # arguments of their constructors
    devices: tuple[str, ...] = ()  # cpu, cuda:N; the CPU, and a GPU if there is one, if not given
    modes: tuple[str, ...] = ()  # eager, bf16, compile, compile_bf16; on a CPU eager and bf16 if not given
    num_speakers: int = 101  # training speakers
    fs: int = 8000  # rate of all audio in Hz
    seconds: float = 4.0  # of every mixture and enrollment
    batch_size: int = 2  # mixtures of a training step
    num_runs: int = 3  # timed runs of one process
    num_rounds: int = 2  # times that everything is measured; the best counts
    num_threads: int = 0  # CPU threads; 0: as many as torch takes
    clock: str = "wall"  # wall, or cpu: time on the processor, which others on the machine disturb less


def benchmark_extraction(config: Config) -> Figures:
    """Measure, print a table and write it as ``out/benchmark.md`` and ``out/benchmark.json``.

    Every figure comes from a process of its own. All figures are measured in turn, ``num_rounds`` times over, and the
    best counts: who else works on the machine for a while then disturbs no row more than another.

    Raises:
        ConfigError: for an unknown device, mode, network or option.
    """
    if min(config.seconds, config.batch_size - 1, config.num_runs, config.num_rounds) <= 0:
        raise ConfigError("benchmark: expected seconds, num_runs and num_rounds above 0 and a batch_size of 2 or more")
    if config.clock not in CLOCKS:
        raise ConfigError(f"clock: expected one of {', '.join(CLOCKS)}, got '{config.clock}'")
    options = (config.extractor_options, config.fs, config.num_speakers)
    specs = [ExtractorSpec(name, *options) for name in config.extractors]
    for spec in specs:
        with torch.device("meta"):
            build_extractor(spec)  # a wrong option shows here, not in a process after minutes
    timing = (config.num_runs, config.num_threads, config.clock)
    cells = [
        Cell(spec, device, mode, work, config.seconds, config.batch_size, *timing)
        for spec, device in itertools.product(specs, _devices(config.devices))
        for mode, work in itertools.product(modes_of(device, config.modes), WORKS)
    ]
    figures: Figures = {}
    for cell in tqdm(cells * config.num_rounds, desc="benchmark", unit="figure", disable=None):
        figures[cell] = best(figures.get(cell), measure_in_a_process(cell))
    layers = measure_formulations()
    lines = [*table(figures), "", *layer_table(layers), "", *slower(figures, layers)]
    lines += notes(cells[0], config.num_rounds)
    write_text(config.out / "benchmark.md", "\n".join(lines) + "\n")
    write_json(config.out / "benchmark.json", records(figures) | {"layers": layers})
    print("\n".join(lines))
    return figures


def modes_of(device: str, modes: tuple[str, ...]) -> tuple[str, ...]:
    """The modes to measure on a device: those asked for, or those that mean something there.

    Raises:
        ConfigError: for an unknown mode.
    """
    unknown = [mode for mode in modes if mode not in MODES]
    if unknown:
        raise ConfigError(f"modes: expected some of {', '.join(MODES)}, got '{unknown[0]}'")
    return modes or _DEFAULT_MODES[torch.device(device).type]


def measure_in_a_process(cell: Cell) -> Figure:
    """:func:`measure_cell` in a fresh process; one that was killed is a failure, not the end."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure_cell, cell).result()
        except BrokenProcessPool:
            return Figure(failure="the process was killed; out of memory?")


def best(one: Figure | None, other: Figure) -> Figure:
    """The quicker and the smaller of two figures of one cell.

    >>> best(Figure(2.0, 100.0), Figure(1.0, 101.0))
    Figure(seconds=1.0, memory_mib=100.0, failure=None)
    """
    if one is None or one.failure:
        return other
    if other.failure:
        return one
    return Figure(min(one.seconds, other.seconds), min(one.memory_mib, other.memory_mib))


def table(figures: Figures) -> list[str]:
    """The figures as a Markdown table, a row for each way to compute."""
    rows, reasons = [], []
    for cell in figures:
        if cell.work != WORKS[0]:
            continue
        name = f"{cell.spec.extractor} | {cell.device} | {cell.mode}"
        works = [(dataclasses.replace(cell, work=work), work) for work in WORKS]
        rows.append(f"| {name} | " + " | ".join(_entries(figures, one, work) for one, work in works) + " |")
        failures = {figures[one].failure for one, _ in works} - {None}
        reasons += [f"- {cell.spec.extractor}, {cell.device}, {cell.mode}: {failure}" for failure in sorted(failures)]
    return [*_HEAD.splitlines(), *rows, *(["", *reasons] if reasons else [])]


def _entries(figures: Figures, cell: Cell, work: str) -> str:
    figure, eager = figures[cell], figures.get(dataclasses.replace(cell, mode="eager"))
    if figure.failure:
        return "failed | | "
    value = f"{1 / figure.seconds:.3g}" if work == "training" else f"{figure.seconds / cell.seconds:.3g}"
    ratio = f"{eager.seconds / figure.seconds:.2f}" if eager and eager.seconds else ""
    return f"{value} | {ratio} | {figure.memory_mib:.0f}"


def layer_table(layers: dict[str, tuple[float, float]]) -> list[str]:
    """How many times as quick the layers' formulations are as torch's own layers, as a Markdown table."""
    rows = [f"| {name} | {plain / ours:.2f} |" for name, (ours, plain) in layers.items()]
    return ["| layer / torch's own | times as quick, forward and backward |", "| --- | ---: |", *rows]


def slower(figures: Figures, layers: dict[str, tuple[float, float]]) -> list[str]:
    """A line for everything that is in use on this machine and slower than its plain alternative."""
    lines = [
        f"- slower than its plain alternative here: {name.replace(' / ', ', torch has ')} ({plain / ours:.2f} x)"
        for name, (ours, plain) in layers.items()
        if plain < ours
    ]
    for cell, figure in figures.items():
        if cell.mode != "eager" or cell.work != "training" or not figure.seconds:
            continue
        amp = resolve_amp("auto", torch.device(cell.device))
        half = figures.get(dataclasses.replace(cell, mode="bf16"))
        if half is None or not half.seconds:
            continue
        ratio = figure.seconds / half.seconds
        if (amp == "bf16") != (ratio >= 1):
            taken, other = ("bf16", "none") if amp == "bf16" else ("single precision", "bf16")
            lines.append(
                f"- slower than its alternative here: {taken}, which amp auto takes for {cell.spec.extractor} on "
                f"{cell.device} (bf16 is {ratio:.2f} x as quick); train with --train.amp {other}"
            )
    return lines


def notes(cell: Cell, num_rounds: int) -> list[str]:
    """How the figures were measured."""
    threads = cell.num_threads or torch.get_num_threads()
    options = ", ".join(f"{key} {value}" for key, value in cell.spec.extractor_options.items()) or "the full size"
    return [
        f"- {datetime.now(timezone.utc):%Y-%m-%d %H:%M UTC}, commit {current_commit()}, torch {torch.__version__}",
        f"- {processor_name(cell.device)}; {threads} CPU threads; networks: {options}",
        f"- instructions: {instructions()}; amp auto takes {resolve_amp('auto', torch.device(cell.device))}",
        f"- a step: {cell.batch_size} mixtures and enrollments of {cell.seconds:g} s at {cell.spec.fs} Hz, loss, Adam; "
        "extraction: one mixture and its enrollment",
        f"- times ({cell.clock} clock): shortest of {num_rounds} x {cell.num_runs} runs after one that is not timed; "
        "memory: peak of a process of its own less what it held before its first run",
    ]


def records(figures: Figures) -> dict[str, Any]:
    """The figures for machines."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": current_commit(),
        "torch": torch.__version__,
        "instructions": instructions(),
        "processors": {device: processor_name(device) for device in {cell.device for cell in figures}},
        "figures": [dataclasses.asdict(cell) | dataclasses.asdict(figure) for cell, figure in figures.items()],
    }


def _devices(names: tuple[str, ...]) -> list[str]:
    if not names:
        names = ("cpu", "cuda:0") if torch.cuda.is_available() else ("cpu",)
    return [str(resolve_device(name)) for name in names]
