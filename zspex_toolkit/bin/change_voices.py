"""Make further speakers: every utterance of a data directory with other formants and another pitch.

    python -m zspex_toolkit.bin.change_voices --data data/train --out data/voices --dump dump/voices --nj 8

Needs the package praat-parselmouth (extra ``voices``). Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.change_voices import Config, change_voices


def main(argv: list[str] | None = None) -> None:
    change_voices(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
