"""Write a trained extractor as a small folder to hand on: model.yaml, model.safetensors and what is told of it.

zspex pack_model --model exp/tse/zspex --out zspex_8k --storage int8 --notes README.md,results.json
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.packed_model import pack_model


@dataclass(frozen=True)
class Config:
    model: Path  # experiment of the extractor
    out: Path  # folder to write
    storage: str = "float16"  # of the weights: float32, float16 or int8
    max_mb: float = 16.0  # refuse weights of more MB; 0: any
    notes: tuple[Path, ...] = ()  # files to lay beside it, such as its README and scores


def main(argv: list[str] | None = None) -> None:
    pack_model(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
