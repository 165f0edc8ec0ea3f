"""Make a data directory valid: sort it, keep what all its tables share, say in dropped.txt what went and why.

python -m zspex_toolkit.bin.fix_data_dir --data data/train --utt_extra_files utt2topic
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.fix import fix_data_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory, rewritten in place; old files go to its .backup
    utt_extra_files: tuple[str, ...] = ()  # further files keyed by utterance to treat like the known ones
    check_audio: bool = False  # also drop utterances whose audio is missing, broken, silent or of another length
    nj: int = 1  # number of processes that open audio


def main(argv=None):
    config = parse_args(Config, argv)
    for line in fix_data_dir(**vars(config)).summary():
        print(f"fix_data_dir: {config.data}: {line}")


if __name__ == "__main__":
    run(main)
