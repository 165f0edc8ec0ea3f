"""Compare the speed of the MFCC features with that of kaldi-native-fbank.

python -m zspex_toolkit.bin.benchmark_mfcc --seconds 600
"""

from __future__ import annotations

from zspex_toolkit.bench.features import Config, benchmark_mfcc
from zspex_toolkit.config import parse_args, run


def main(argv: list[str] | None = None) -> None:
    benchmark_mfcc(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
