"""Check an extractor against what people ask of one they are to use, and print passed, failed or measured for each.

    zspex check_model --data data/test --noise_dir noise --room_dir rooms --out exp/gates

Trials are planned of the data's speakers, rendered, extracted and scored, for each condition. Nothing is asked of the
model but that it extracts. Run again, the same command keeps what it has extracted.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.gates.check_model import Config, check_model


def main(argv: list[str] | None = None) -> None:
    check_model(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
