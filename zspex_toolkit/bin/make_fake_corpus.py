"""Lay out a tiny synthetic corpus in the layout and file types of a real one, to try a recipe without it.

python -m zspex_toolkit.bin.make_fake_corpus --corpus timit --out downloads/fake_timit
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora.support.prepare import FakeConfig as Config
from zspex_toolkit.corpora.support.prepare import make_fake_corpus


def main(argv: list[str] | None = None) -> None:
    make_fake_corpus(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
