"""Set whole speakers apart for testing: the two data directories share none.

python -m zspex_toolkit.bin.hold_out_speakers --data data/all --train data/train --test data/test --num_speakers 8
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora.support.speaker_splits import HoldOutConfig as Config
from zspex_toolkit.corpora.support.speaker_splits import hold_out_speakers


def main(argv: list[str] | None = None) -> None:
    hold_out_speakers(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
