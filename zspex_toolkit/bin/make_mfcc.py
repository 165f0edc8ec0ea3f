"""Compute MFCC features of a data directory.

python -m zspex_toolkit.bin.make_mfcc --data data/train --out mfcc --mfcc_config conf/mfcc.conf --nj 4
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.make_mfcc import make_mfcc


@dataclass(frozen=True)
class Config:
    data: Path  # data directory with wav.scp
    out: Path  # folder for the archives raw_mfcc_<name>.N.ark
    mfcc_config: Path | None = None  # option file, Kaldi's mfcc.conf or YAML; without it the de-mixing settings
    nj: int = 1  # number of jobs
    cmd: str = ""  # command that runs the jobs, such as "queue.pl --mem 4G"; empty: this machine
    compress: bool = False  # store 8-bit values, a quarter of the size
    logdir: Path | None = None  # folder for the logs; <data>/log without it
    max_dropped_share: float = 0.0  # share of the utterances that may fail; Kaldi allows 0.05
    seed: int = 0  # of the dither, if the option file asks for some
    job: int = 0  # compute only this of the nj pieces; the command starts itself so


def main(argv: list[str] | None = None) -> None:
    make_mfcc(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
