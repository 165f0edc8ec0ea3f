"""Bring the audio of a data directory to another rate.

    python -m zspex_toolkit.bin.resample_data_dir --data data/raw/train --out data/train --dump dump/train --fs 8000

Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.resample_data_dir import Config, resample_data_dir


def main(argv: list[str] | None = None) -> None:
    resample_data_dir(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
