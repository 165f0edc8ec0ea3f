"""Lay out a tiny synthetic corpus in the layout and file types of a real one, to try a recipe without it.

python -m zspex_toolkit.bin.make_fake_corpus --corpus timit --out downloads/fake_timit
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora._prepare import make_fake_corpus


@dataclass(frozen=True)
class Config:
    corpus: str  # a file in zspex_toolkit/corpora
    out: Path  # new or empty folder
    seed: int = 0  # of voices and sentences


def main(argv=None) -> None:
    make_fake_corpus(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
