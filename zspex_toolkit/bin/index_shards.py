"""Write wav.scp of tars that hold recordings <key>.wav or <key>.flac, as WebDataset's shards do.

    python -m zspex_toolkit.bin.index_shards --shards a.tar,b.tar --out data/train/wav.scp

utt2spk, who speaks in each, is for you to write.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.pack_audio import IndexConfig as Config
from zspex_toolkit.prepare.pack_audio import index_shards


def main(argv: list[str] | None = None) -> None:
    index_shards(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
