"""Write what is said in the utterances of a data directory, as Kaldi's text.

python -m zspex_toolkit.bin.recognise --model exp/recogniser --data data/test --out exp/recogniser/recognise_test
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.recognise.data_dir import Config, recognise_data_dir


def main(argv: list[str] | None = None) -> None:
    recognise_data_dir(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
