"""Make a data directory valid: sort it, keep what all its tables share, say in dropped.txt what went and why.

python -m zspex_toolkit.bin.fix_data_dir --data data/train --utt_extra_files utt2topic
"""

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.fix import Config, fix_data_dir


def main(argv=None):
    config = parse_args(Config, argv, __doc__)
    for line in fix_data_dir(config).summary():
        print(f"fix_data_dir: {config.data}: {line}")


if __name__ == "__main__":
    run(main)
