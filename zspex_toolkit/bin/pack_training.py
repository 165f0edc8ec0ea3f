"""Pack all that a training of an extractor reads into one tar, for a machine that sees none of it.

python -m zspex_toolkit.bin.pack_training --train data/train --valid data/trials_dev --out pack.tar
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.pack_training import Config, pack_training


def main(argv: list[str] | None = None) -> None:
    pack_training(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
