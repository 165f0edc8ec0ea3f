"""Score extracted speech against the clean speech of the targets.

python -m zspex_toolkit.bin.score_extraction --data data/trials_test --extracted exp/tse/zspex/extracted/test \
    --out exp/tse/zspex/scores/test
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.score.extraction import Config, score_extraction


def main(argv: list[str] | None = None) -> None:
    score_extraction(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
