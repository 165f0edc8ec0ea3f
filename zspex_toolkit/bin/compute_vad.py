"""Decide which frames of a data directory hold speech, from its features.

python -m zspex_toolkit.bin.compute_vad --data data/train --out mfcc --vad_config conf/vad.conf --nj 4
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.compute_vad import compute_vad


@dataclass(frozen=True)
class Config:
    data: Path  # data directory with feats.scp
    out: Path  # folder for the archives vad_<name>.N.ark
    vad_config: Path | None = None  # option file, Kaldi's vad.conf or YAML; without it Kaldi's usual values
    nj: int = 1  # number of jobs
    cmd: str = ""  # command that runs the jobs, such as "queue.pl --mem 4G"; empty: this machine
    logdir: Path | None = None  # folder for the logs; <data>/log without it
    max_dropped_share: float = 0.0  # share of the utterances that may fail
    job: int = 0  # compute only this of the nj pieces; the command starts itself so


def main(argv: list[str] | None = None) -> None:
    compute_vad(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
