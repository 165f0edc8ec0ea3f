"""Join data directories that share no utterance into one.

python -m zspex_toolkit.bin.combine_data_dirs --data data/clean,data/noisy --out data/train
"""

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.combine import CombineConfig as Config
from zspex_toolkit.io.combine import combine_data_dirs


def main(argv=None):
    config = parse_args(Config, argv, __doc__)
    num_utterances, left_out = combine_data_dirs(config)
    for line in left_out:
        print(f"combine_data_dirs: {line}")
    print(f"combine_data_dirs: {config.out}: {num_utterances} utterances of {len(config.data)} directories")


if __name__ == "__main__":
    run(main)
