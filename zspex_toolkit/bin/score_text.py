"""Word error rate of recognised speech, with insertions, deletions, substitutions and an interval over speakers.

python -m zspex_toolkit.bin.score_text --data data/test --hypothesis exp/test/text --out exp/test/score
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.score.words import Config, score_text


def main(argv: list[str] | None = None) -> None:
    score_text(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
