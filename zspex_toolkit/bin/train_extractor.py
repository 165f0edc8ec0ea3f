"""Train a network that extracts the speaker of an enrollment from a mixture.

python -m zspex_toolkit.bin.train_extractor --extractor zspex --exp_dir exp/tse/zspex --config conf/zspex.yaml \
    --draw.source_data data/train --valid_data data/trials_dev
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.tasks.extraction import Config, train_extractor


def main(argv: list[str] | None = None) -> None:
    train_extractor(parse_args(Config, argv))


if __name__ == "__main__":
    run(main)
