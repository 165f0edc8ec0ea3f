"""Copy a data directory under new utterance and speaker ids.

python -m zspex_toolkit.bin.copy_data_dir --data data/train --out data/train_rvb --utt_prefix rvb- --spk_prefix rvb-
"""

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.combine import CopyConfig as Config
from zspex_toolkit.io.combine import copy_data_dir


def main(argv=None):
    config = parse_args(Config, argv, __doc__)
    print(f"copy_data_dir: {config.out}: {copy_data_dir(config)} utterances")


if __name__ == "__main__":
    run(main)
