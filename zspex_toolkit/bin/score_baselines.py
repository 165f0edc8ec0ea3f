"""Score what de-mixing is compared with: the mixture's own embedding (before) and the clean signal's (clean).

python -m zspex_toolkit.bin.score_baselines --embedder exp/embedder --classifier exp/classifier \
    --clean_speakers exp/xvectors/clean_speakers/spk_xvector.scp --train_data data/mix_train_snr0 \
    --test_data data/mix_test_snr0 --clean_train_data data/train --clean_test_data data/test --out exp/baseline
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.score.demixing import BaselinesConfig as Config
from zspex_toolkit.score.demixing import score_baselines


def main(argv: list[str] | None = None) -> None:
    score_baselines(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
