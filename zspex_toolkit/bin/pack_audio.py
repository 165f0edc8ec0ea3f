"""Pack the audio of a data directory into few large files, where millions of small ones would drown a file system.

    python -m zspex_toolkit.bin.pack_audio --data data/raw/train --out data/train --dump dump/train --nj 8

Samples stay what they are, to the last bit. Killed midway, the same command goes on where it stopped.
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.pack_audio import pack_audio


@dataclass(frozen=True)
class Config:
    data: Path  # data directory; its wav.scp may name files, pipes and places in archives
    out: Path  # data directory to write
    dump: Path  # folder of the shards, for this data directory alone
    format: str = "ark"  # ark (Kaldi's) or tar (WebDataset's)
    per_shard: int = 1000  # recordings in a shard
    nj: int = 1  # number of processes


def main(argv=None):
    pack_audio(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
