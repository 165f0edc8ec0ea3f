"""Train the classifier B on the embeddings of the training speech.

python -m zspex_toolkit.bin.train_classifier --data exp/xvectors/train --exp_dir exp/classifier
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.tasks.classification import Config, train_classifier


def main(argv: list[str] | None = None) -> None:
    train_classifier(parse_args(Config, argv))


if __name__ == "__main__":
    run(main)
