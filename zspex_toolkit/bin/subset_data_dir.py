"""Cut a data directory down to some utterances or speakers.

python -m zspex_toolkit.bin.subset_data_dir --data data/train --out data/train_small --per_speaker 4 --first 100
"""

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.subset import Config, subset_data_dir


def main(argv=None):
    config = parse_args(Config, argv, __doc__)
    num_in, num_out = subset_data_dir(config)
    print(f"subset_data_dir: {config.out}: kept {num_out} utterances out of {num_in}")


if __name__ == "__main__":
    run(main)
