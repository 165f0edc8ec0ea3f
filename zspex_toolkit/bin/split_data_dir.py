"""Split a data directory into near-equal parts data/splitN/1 ... data/splitN/N, without cutting a speaker.

python -m zspex_toolkit.bin.split_data_dir --data data/train --nj 8
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.split import split_data_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory
    nj: int  # number of parts
    per_utterance: bool = False  # cut between any two utterances; the parts go to data/splitNutt


def main(argv=None):
    parts = split_data_dir(**vars(parse_args(Config, argv)))
    print(f"split_data_dir: {parts[0]} to {parts[-1]}")


if __name__ == "__main__":
    run(main)
