"""Write the results page of a speech recogniser: word error rates and where they come from.

python -m zspex_toolkit.bin.report_recognition --exp exp/asr --out exp/asr --sets test --corpus mini
"""

from __future__ import annotations

import dataclasses
import shlex
import sys

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.report.recognition import Config, report_recognition


def main(argv: list[str] | None = None) -> None:
    argv = sys.argv[1:] if argv is None else argv
    config = parse_args(Config, argv, __doc__)
    own = shlex.join(["python", "-m", "zspex_toolkit.bin.report_recognition", *argv])
    report_recognition(dataclasses.replace(config, command=config.command or own))


if __name__ == "__main__":
    run(main)
