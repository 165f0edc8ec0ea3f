"""Split the utterances of every speaker at random into a training and a test directory.

python -m zspex_toolkit.bin.split_speakers --data data/all --train data/train --test data/test --test_share 0.25
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora._split_speakers import split_speakers


@dataclass(frozen=True)
class Config:
    data: Path  # data directory to split; it stays as it is
    train: Path  # data directory to write
    test: Path  # data directory to write
    test_share: float | None = None  # share of each speaker's utterances that are test (0.25 if nothing is set)
    test_per_speaker: int | None = None  # number of test utterances of each speaker, instead of a share
    seed: int = 0  # of the draw


def main(argv=None) -> None:
    split_speakers(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
