"""Render planned extraction trials to 16-bit audio and make their folder a trial directory.

    python -m zspex_toolkit.bin.render_trials --data data/trials_test --source_data data/test --out dump/trials_test

Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.render_trials import Config, render_trial_dir


def main(argv: list[str] | None = None) -> None:
    render_trial_dir(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
