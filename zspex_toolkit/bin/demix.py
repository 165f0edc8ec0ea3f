"""Embedding of the unknown speaker in a mixture of two, given recordings of the known one.

zspex demix --model exp/demix_e2_snr0_separate_concat --mixture mix.wav --known speaker_a.wav --output e.npy
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.demix import Config, demix


def main(argv: list[str] | None = None) -> None:
    demix(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
