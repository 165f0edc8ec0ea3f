"""Score de-mixing networks by speaker identification, on training and test mixtures.

python -m zspex_toolkit.bin.score_demixers --models exp/demix_e2_snr0_subtract,exp/demix_e2_snr0_multiply \
    --classifier exp/classifier --clean_speakers exp/xvectors/clean_speakers/spk_xvector.scp \
    --train_data data/mix_train_snr0 --test_data data/mix_test_snr0
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.score_demixing import score_demixers


@dataclass(frozen=True)
class Config:
    models: tuple[Path, ...]  # experiments of the networks; each gets its scores.json
    classifier: Path  # experiment of the classifier B
    clean_speakers: Path  # spk_xvector.scp: clean embedding of each speaker
    train_data: tuple[Path, ...]  # data directories of training mixtures
    test_data: tuple[Path, ...]  # data directories of test mixtures
    given: tuple[str, ...] = ()  # e1, e2 or both; those the network was trained for if none is named
    shuffle_known: bool = True  # add a control with the embedding of a speaker who is not in the mixture
    device: str = "auto"  # auto, cpu or cuda:N


def main(argv: list[str] | None = None) -> None:
    score_demixers(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
