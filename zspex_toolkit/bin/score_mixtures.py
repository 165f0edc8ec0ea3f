"""Score unprocessed mixtures as if they were extracted speech: what every system starts from.

python -m zspex_toolkit.bin.score_mixtures --data data/trials_test --out exp/tse/mixture/test --expected_si_sdr 0.0
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.score_extraction import score_mixtures


@dataclass(frozen=True)
class Config:
    data: Path  # trial directory
    out: Path  # folder of scores.json and trials.jsonl
    metrics: tuple[str, ...] = ("si_sdr", "sdr", "stoi", "estoi")  # file names in zspex_toolkit/metrics/speech
    embedder: Path | None = None  # experiment of an x-vector, for the similarity of speakers; none: not measured
    exclude: Path | None = None  # file whose first column lists trials to leave out
    expected_si_sdr: float | None = None  # mean that is known for these mixtures, in dB; a warning if it is not found
    tolerance: float = 0.3  # how far off it may be, in dB
    max_dropped_share: float = 0.05  # share of the trials of which a measure may fail
    device: str = "auto"  # auto, cpu or cuda:N; for the embedder
    nj: int = 1  # number of processes


def main(argv: list[str] | None = None) -> None:
    score_mixtures(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
