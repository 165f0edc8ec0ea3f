"""Measure what training and extraction cost on this machine: steps per second, real-time factor and memory.

zspex benchmark --out exp/benchmark
"""

from __future__ import annotations

from zspex_toolkit.bench.extraction import Config, benchmark_extraction
from zspex_toolkit.config import parse_args, run


def main(argv: list[str] | None = None) -> None:
    benchmark_extraction(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
