"""Join data directories that share no utterance into one.

python -m zspex_toolkit.bin.combine_data_dirs --data data/clean,data/noisy --out data/train
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.combine import combine_data_dirs


@dataclass(frozen=True)
class Config:
    data: tuple[Path, ...]  # data directories
    out: Path  # data directory to write


def main(argv=None):
    config = parse_args(Config, argv)
    num_utterances, left_out = combine_data_dirs(**vars(config))
    for line in left_out:
        print(f"combine_data_dirs: {line}")
    print(f"combine_data_dirs: {config.out}: {num_utterances} utterances of {len(config.data)} directories")


if __name__ == "__main__":
    run(main)
