"""Set whole speakers apart for testing: the two data directories share none.

python -m zspex_toolkit.bin.hold_out_speakers --data data/all --train data/train --test data/test --num_speakers 8
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora._hold_out_speakers import hold_out_speakers


@dataclass(frozen=True)
class Config:
    data: Path  # data directory to split; it stays as it is
    test: Path  # data directory to write
    num_speakers: int  # speakers of test, drawn at random, of each gender as many as of the other
    train: Path | None = None  # data directory to write with all the others, if wanted
    seed: int = 0  # of the draw


def main(argv: list[str] | None = None) -> None:
    hold_out_speakers(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
