"""Bring the audio of a data directory to another rate.

    python -m zspex_toolkit.bin.resample_data_dir --data data/raw/train --out data/train --dump dump/train --fs 8000

Killed midway, the same command goes on where it stopped.
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.resample_data_dir import resample_data_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory; its audio may have any rates
    out: Path  # data directory to write
    dump: Path  # folder of the resampled wavs
    fs: int = 8000  # rate in Hz
    nj: int = 1  # number of processes


def main(argv=None):
    resample_data_dir(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
