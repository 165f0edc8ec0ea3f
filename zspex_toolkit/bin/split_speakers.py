"""Split the utterances of every speaker at random into a training and a test directory.

python -m zspex_toolkit.bin.split_speakers --data data/all --train data/train --test data/test --test_share 0.25
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora.support.speaker_splits import SplitConfig as Config
from zspex_toolkit.corpora.support.speaker_splits import split_speakers


def main(argv: list[str] | None = None) -> None:
    split_speakers(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
