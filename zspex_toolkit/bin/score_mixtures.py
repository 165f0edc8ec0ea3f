"""Score unprocessed mixtures as if they were extracted speech: what every system starts from.

python -m zspex_toolkit.bin.score_mixtures --data data/trials_test --out exp/tse/mixture/test --expected_si_sdr 0.0
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.score.extraction import MixturesConfig as Config
from zspex_toolkit.score.extraction import score_mixtures


def main(argv: list[str] | None = None) -> None:
    score_mixtures(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
