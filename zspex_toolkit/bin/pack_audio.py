"""Pack the audio of a data directory into few large files, where millions of small ones would drown a file system.

    python -m zspex_toolkit.bin.pack_audio --data data/raw/train --out data/train --dump dump/train --nj 8

Samples stay what they are, to the last bit. Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.pack_audio import PackConfig as Config
from zspex_toolkit.prepare.pack_audio import pack_audio


def main(argv: list[str] | None = None) -> None:
    pack_audio(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
