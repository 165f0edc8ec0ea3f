"""Embed every utterance of a data directory, or random segments of it.

python -m zspex_toolkit.bin.extract_embeddings --model exp/embedder --data data/test --out exp/xvectors/test
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.embed import extract_embeddings


@dataclass(frozen=True)
class Config:
    model: Path  # experiment of the embedder
    data: Path  # data directory with feats.scp and vad.scp
    out: Path  # folder that gets xvector.ark, xvector.scp, utt2spk and spk2utt
    segments_per_utterance: int = 0  # random segments of each utterance; 0: the whole utterance
    segment_frames: int = 200  # voiced frames of a segment
    seed: int = 0  # of the segments' places
    device: str = "auto"  # auto, cpu or cuda:N


def main(argv: list[str] | None = None) -> None:
    extract_embeddings(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
