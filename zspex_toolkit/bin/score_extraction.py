"""Score extracted speech against the clean speech of the targets.

python -m zspex_toolkit.bin.score_extraction --data data/trials_test --extracted exp/tse/zspex/extracted/test \
    --out exp/tse/zspex/scores/test
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.score_extraction import score_extraction


@dataclass(frozen=True)
class Config:
    data: Path  # trial directory
    extracted: Path  # folder with wav.scp of the outputs, as extract_trials writes it
    out: Path  # folder of scores.json and trials.jsonl
    metrics: tuple[str, ...] = ("si_sdr", "sdr", "stoi", "estoi")  # file names in zspex_toolkit/metrics/speech
    system: str | None = None  # name of what is scored; that of the experiment which holds the outputs if unset
    mixture_scores: Path | None = None  # folder of score_mixtures for these trials: spares half of the work
    embedder: Path | None = None  # experiment of an x-vector, for the similarity of speakers; none: not measured
    exclude: Path | None = None  # file whose first column lists trials to leave out
    presence_threshold: float = 0.5  # a presence below it says that the enrolled speaker is not there
    max_dropped_share: float = 0.05  # share of the trials of which a measure may fail
    device: str = "auto"  # auto, cpu or cuda:N; for the embedder
    nj: int = 1  # number of processes


def main(argv: list[str] | None = None) -> None:
    score_extraction(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
