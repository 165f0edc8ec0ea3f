"""Train the tokens of a speech recogniser on the transcripts of a data directory.

python -m zspex_toolkit.bin.train_tokens --data data/train --out exp/tokens.model --kind unigram --vocabulary 500
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.text.tokens import Config, train_tokens


def main(argv: list[str] | None = None) -> None:
    train_tokens(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
