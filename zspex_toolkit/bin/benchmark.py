"""Measure what training and extraction cost on this machine: steps per second, real-time factor and memory.

zspex benchmark --out exp/benchmark
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.benchmark_extraction import benchmark_extraction


@dataclass(frozen=True)
class Config:
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


def main(argv: list[str] | None = None) -> None:
    benchmark_extraction(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
