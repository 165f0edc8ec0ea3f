"""Render planned mixtures to 16-bit audio and make their folder a Kaldi data directory.

    python -m zspex_toolkit.bin.render_mixtures --data data/mix_snr0 --source_data data/test --out dump/mix_snr0

Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.render_mixtures import Config, render_data_dir


def main(argv: list[str] | None = None) -> None:
    render_data_dir(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
