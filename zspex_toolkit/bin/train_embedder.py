"""Train the embedder A on the speakers of a data directory.

python -m zspex_toolkit.bin.train_embedder --data data/train --exp_dir exp/embedder --config conf/train_embedder.yaml
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.tasks.embedding import Config, train_embedder


def main(argv: list[str] | None = None) -> None:
    train_embedder(parse_args(Config, argv))


if __name__ == "__main__":
    run(main)
