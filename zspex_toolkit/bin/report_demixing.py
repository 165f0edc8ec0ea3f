"""Write the results page of a de-mixing experiment: the paper's tables, its Figure 6, and where the figures come from.

python -m zspex_toolkit.bin.report_demixing --exp exp --out results --corpus timit
"""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.report.results import report_demixing


@dataclass(frozen=True)
class Config:
    exp: Path  # experiment with demix_*/scores.json and baseline/*/scores.json
    out: Path  # folder for RESULTS.md, results.json and the figures
    corpus: str  # name of the corpus, such as timit; the page says when it is not the paper's
    title: str = ""  # heading of the page; made from the corpus if empty
    command: str = ""  # command line that made the figures, such as the recipe's; this one if empty


def main(argv: list[str] | None = None) -> None:
    argv = sys.argv[1:] if argv is None else argv
    settings = vars(parse_args(Config, argv))
    own = shlex.join(["python", "-m", "zspex_toolkit.bin.report_demixing", *argv])
    report_demixing(**{**settings, "command": settings["command"] or own})


if __name__ == "__main__":
    run(main)
