"""Write the results of an extraction experiment: tables, figures, and a page to listen to.

python -m zspex_toolkit.bin.report_extraction --exp exp/tse --out results --corpus mini
"""

from __future__ import annotations

import dataclasses
import shlex
import sys

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.report.extraction.results import Config, report_extraction


def main(argv: list[str] | None = None) -> None:
    argv = sys.argv[1:] if argv is None else argv
    config = parse_args(Config, argv)
    own = shlex.join(["python", "-m", "zspex_toolkit.bin.report_extraction", *argv])
    report_extraction(dataclasses.replace(config, command=config.command or own))


if __name__ == "__main__":
    run(main)
