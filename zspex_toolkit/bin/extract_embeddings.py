"""Embed every utterance of a data directory, or random segments of it.

python -m zspex_toolkit.bin.extract_embeddings --model exp/embedder --data data/test --out exp/xvectors/test
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.embeddings import ExtractConfig as Config
from zspex_toolkit.extract.embeddings import extract_embeddings


def main(argv: list[str] | None = None) -> None:
    extract_embeddings(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
