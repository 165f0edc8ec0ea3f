"""Score de-mixing networks by speaker identification, on training and test mixtures.

python -m zspex_toolkit.bin.score_demixers --models exp/demix_e2_snr0_subtract,exp/demix_e2_snr0_multiply \
    --classifier exp/classifier --clean_speakers exp/xvectors/clean_speakers/spk_xvector.scp \
    --train_data data/mix_train_snr0 --test_data data/mix_test_snr0
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.score.demixing import DemixersConfig as Config
from zspex_toolkit.score.demixing import score_demixers


def main(argv: list[str] | None = None) -> None:
    score_demixers(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
