"""Write wav.scp of tars that hold recordings <key>.wav or <key>.flac, as WebDataset's shards do.

    python -m zspex_toolkit.bin.index_shards --shards a.tar,b.tar --out data/train/wav.scp

utt2spk, who speaks in each, is for you to write.
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.pack_audio import index_shards


@dataclass(frozen=True)
class Config:
    shards: tuple[Path, ...]  # the tars, without compression
    out: Path  # table to write
    nj: int = 1  # number of processes


def main(argv=None):
    index_shards(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
