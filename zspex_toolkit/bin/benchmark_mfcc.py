"""Compare the speed of the MFCC features with that of kaldi-native-fbank.

python -m zspex_toolkit.bin.benchmark_mfcc --seconds 600
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.benchmark_mfcc import benchmark_mfcc


@dataclass(frozen=True)
class Config:
    data: Path | None = None  # data directory to read; without it, audio is made
    mfcc_config: Path | None = None  # option file, Kaldi's mfcc.conf or YAML; without it the de-mixing settings
    seconds: float = 600.0  # how much audio to make
    num_runs: int = 3  # every figure is the best of so many runs


def main(argv: list[str] | None = None) -> None:
    benchmark_mfcc(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
