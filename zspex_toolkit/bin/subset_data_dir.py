"""Cut a data directory down to some utterances or speakers.

python -m zspex_toolkit.bin.subset_data_dir --data data/train --out data/train_small --per_speaker 4 --first 100
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.subset import subset_data_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory
    out: Path  # data directory to write
    first: int | None = None  # the first so many utterances of those chosen otherwise
    per_speaker: int | None = None  # at most so many utterances of each speaker, evenly spread
    utterances: Path | None = None  # file whose first column lists utterances
    speakers: Path | None = None  # file whose first column lists speakers


def main(argv=None):
    config = parse_args(Config, argv)
    num_in, num_out = subset_data_dir(**vars(config))
    print(f"subset_data_dir: {config.out}: kept {num_out} utterances out of {num_in}")


if __name__ == "__main__":
    run(main)
