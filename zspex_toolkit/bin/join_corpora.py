"""Join any number of data directories and corpora into a set to train on, and others to test on.

zspex join_corpora --train_data speechocean762/train=/corpora/SO762,mine=recordings/data --test_data friends=other/data

A folder with wav.scp and utt2spk is a data directory; any other is a corpus that the toolkit prepares, CORPUS=DIR.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora.support.join import JoinConfig as Config
from zspex_toolkit.corpora.support.join import join_corpora


def main(argv: list[str] | None = None) -> None:
    join_corpora(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
