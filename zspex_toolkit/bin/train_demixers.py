"""Train de-mixing networks C, one for each function, on mixtures of two speakers.

python -m zspex_toolkit.bin.train_demixers --data data/mix_train_snr0 --given e2 --demixers subtract,multiply \
    --embedder exp/embedder --clean_speakers exp/xvectors/clean_speakers/spk_xvector.scp --exp_dir exp/demix_e2_snr0
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.tasks.demixing import Config, train_demixers


def main(argv: list[str] | None = None) -> None:
    train_demixers(parse_args(Config, argv))


if __name__ == "__main__":
    run(main)
