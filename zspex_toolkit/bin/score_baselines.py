"""Score what de-mixing is compared with: the mixture's own embedding (before) and the clean signal's (clean).

python -m zspex_toolkit.bin.score_baselines --embedder exp/embedder --classifier exp/classifier \
    --clean_speakers exp/xvectors/clean_speakers/spk_xvector.scp --train_data data/mix_train_snr0 \
    --test_data data/mix_test_snr0 --clean_train_data data/train --clean_test_data data/test --out exp/baseline
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.score_demixing import score_baselines


@dataclass(frozen=True)
class Config:
    embedder: Path  # experiment of the embedder A
    classifier: Path  # experiment of the classifier B
    clean_speakers: Path  # spk_xvector.scp: clean embedding of each speaker
    train_data: tuple[Path, ...]  # data directories of training mixtures
    test_data: tuple[Path, ...]  # data directories of test mixtures
    clean_train_data: Path  # data directory of the utterances in the training mixtures
    clean_test_data: Path  # data directory of the utterances in the test mixtures
    out: Path  # gets <condition>/scores.json
    given: tuple[str, ...] = ("e2", "e1")  # directions to score
    device: str = "auto"  # auto, cpu or cuda:N


def main(argv: list[str] | None = None) -> None:
    score_baselines(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
