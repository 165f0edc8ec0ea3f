"""Decide which frames of a data directory hold speech, from its features.

python -m zspex_toolkit.bin.compute_vad --data data/train --out mfcc --vad_config conf/vad.conf --nj 4
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.compute_vad import Config, compute_vad


def main(argv: list[str] | None = None) -> None:
    compute_vad(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
