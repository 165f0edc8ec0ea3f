"""Fit the presence score of an extractor to trials with and without the enrolled speaker; written into its model.yaml.

python -m zspex_toolkit.bin.calibrate_presence --model exp/tse/zspex --data data/trials_dev_absent
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.calibrate_presence import calibrate_presence


@dataclass(frozen=True)
class Config:
    model: Path  # experiment of an extractor
    data: Path  # trial directory with absent trials, of no speaker of the test
    out: Path | None = None  # folder of the extracted trials; <model>/extracted/<data> without it
    device: str = "auto"  # auto, cpu or cuda:N
    nj: int = 1  # number of processes on the CPU, of one thread each


def main(argv: list[str] | None = None) -> None:
    calibrate_presence(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
