"""Write the results page of a de-mixing experiment: the paper's tables, its Figure 6, and where the figures come from.

python -m zspex_toolkit.bin.report_demixing --exp exp --out results --corpus timit
"""

from __future__ import annotations

import dataclasses
import shlex
import sys

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.report.demixing.results import Config, report_demixing


def main(argv: list[str] | None = None) -> None:
    argv = sys.argv[1:] if argv is None else argv
    config = parse_args(Config, argv, __doc__)
    own = shlex.join(["python", "-m", "zspex_toolkit.bin.report_demixing", *argv])
    report_demixing(dataclasses.replace(config, command=config.command or own))


if __name__ == "__main__":
    run(main)
