"""Split a data directory into near-equal parts data/splitN/1 ... data/splitN/N, without cutting a speaker.

python -m zspex_toolkit.bin.split_data_dir --data data/train --nj 8
"""

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.split import Config, split_data_dir


def main(argv=None):
    parts = split_data_dir(parse_args(Config, argv, __doc__))
    print(f"split_data_dir: {parts[0]} to {parts[-1]}")


if __name__ == "__main__":
    run(main)
