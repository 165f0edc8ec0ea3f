"""Embedding of the unknown speaker in a mixture of two, given recordings of the known one.

zspex demix --model exp/demix_e2_snr0_separate_concat --mixture mix.wav --known speaker_a.wav --output e.npy
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.demix import demix


@dataclass(frozen=True)
class Config:
    model: Path  # experiment of a de-mixing network
    mixture: str  # recording of two speakers
    known: tuple[str, ...]  # recordings of one of them, a.wav,b.wav; several are averaged
    output: Path  # file for the embedding (npy)
    identify: Path | None = None  # spk_xvector.scp of enrolled speakers, to be ranked by cosine
    top: int = 5  # how many of them to print
    device: str = "auto"  # auto, cpu or cuda:N


def main(argv: list[str] | None = None) -> None:
    demix(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
