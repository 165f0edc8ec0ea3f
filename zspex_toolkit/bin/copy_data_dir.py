"""Copy a data directory under new utterance and speaker ids.

python -m zspex_toolkit.bin.copy_data_dir --data data/train --out data/train_rvb --utt_prefix rvb- --spk_prefix rvb-
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.combine import copy_data_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory
    out: Path  # data directory to write
    utt_prefix: str = ""  # put before every utterance id; has to begin with spk_prefix, or the order by speaker is lost
    spk_prefix: str = ""  # put before every speaker id


def main(argv=None):
    config = parse_args(Config, argv)
    print(f"copy_data_dir: {config.out}: {copy_data_dir(**vars(config))} utterances")


if __name__ == "__main__":
    run(main)
