r"""Train a speech recogniser on the transcripts of a data directory.

python -m zspex_toolkit.bin.train_recogniser --data data/train --tokens exp/tokens.model --exp_dir exp/recogniser \
    --config conf/train_recogniser.yaml
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.tasks.recognition import Config, train_recogniser


def main(argv: list[str] | None = None) -> None:
    train_recogniser(parse_args(Config, argv))


if __name__ == "__main__":
    run(main)
