"""Compute MFCC features of a data directory.

python -m zspex_toolkit.bin.make_mfcc --data data/train --out mfcc --mfcc_config conf/mfcc.conf --nj 4
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.make_mfcc import Config, make_mfcc


def main(argv: list[str] | None = None) -> None:
    make_mfcc(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
