"""Look at this installation, and at a model, data or a recipe if named; to run first, and to paste into a report.

    zspex doctor
    zspex doctor --recipe egs/libri2mix/tse1 --corpus_dir DIR

Each line is ok, a warning or a fault, with what to do. The status is 1 if there is a fault.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.doctor.examine import Config, examine


def main(argv: list[str] | None = None) -> int:
    return 0 if examine(parse_args(Config, argv, __doc__)) else 1


if __name__ == "__main__":
    run(main)
