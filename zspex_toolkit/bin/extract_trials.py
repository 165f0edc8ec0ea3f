"""Extract the target of every trial of a trial directory, to score or to listen to.

    python -m zspex_toolkit.bin.extract_trials --model exp/tse/zspex --data data/trials_test \
        --out exp/tse/zspex/extracted/test

Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.trials import Config, extract_trials


def main(argv: list[str] | None = None) -> None:
    extract_trials(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
