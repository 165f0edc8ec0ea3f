"""Clean embedding of each speaker: the mean embedding of random segments of its speech.

python -m zspex_toolkit.bin.average_embeddings --model exp/embedder --data data/train --out exp/xvectors/clean_speakers
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.embed import average_embeddings


@dataclass(frozen=True)
class Config:
    model: Path  # experiment of the embedder
    data: Path  # data directory with feats.scp and vad.scp
    out: Path  # folder that gets spk_xvector.ark, spk_xvector.scp and spk2utt
    num_segments: int = 200  # segments of each speaker
    segment_frames: int = 200  # voiced frames of a segment
    seed: int = 0  # of the segments
    device: str = "auto"  # auto, cpu or cuda:N


def main(argv: list[str] | None = None) -> None:
    average_embeddings(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
