"""Fit the presence score of an extractor to trials with and without the enrolled speaker; written into its model.yaml.

python -m zspex_toolkit.bin.calibrate_presence --model exp/tse/zspex --data data/trials_dev_absent
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.calibrate_presence import Config, calibrate_presence


def main(argv: list[str] | None = None) -> None:
    calibrate_presence(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
