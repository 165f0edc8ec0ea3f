"""Extract the target of every trial of a trial directory, to score or to listen to.

    python -m zspex_toolkit.bin.extract_trials --model exp/tse/zspex --data data/trials_test \
        --out exp/tse/zspex/extracted/test

Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.extract_trials import extract_trials


@dataclass(frozen=True)
class Config:
    model: Path  # experiment of an extractor, or a packed model
    data: Path  # trial directory
    out: Path  # folder to write: wav, wav.scp, utt2spk, presence, extraction.json
    device: str = "auto"  # auto, cpu or cuda:N
    nj: int = 1  # number of processes on the CPU, of one thread each
    batch_size: int = 8  # most trials that a GPU takes at once; only mixtures of one length share a batch


def main(argv: list[str] | None = None) -> None:
    extract_trials(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
