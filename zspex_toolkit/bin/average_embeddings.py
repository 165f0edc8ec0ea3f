"""Clean embedding of each speaker: the mean embedding of random segments of its speech.

python -m zspex_toolkit.bin.average_embeddings --model exp/embedder --data data/train --out exp/xvectors/clean_speakers
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.embeddings import AverageConfig as Config
from zspex_toolkit.extract.embeddings import average_embeddings


def main(argv: list[str] | None = None) -> None:
    average_embeddings(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
