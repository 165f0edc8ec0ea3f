"""Write a trained extractor as a small folder to hand on: model.yaml, model.safetensors and what is told of it.

zspex pack_model --model exp/tse/zspex --out zspex_8k --storage int8 --notes README.md,results.json
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.packed_model import Config, pack_model


def main(argv: list[str] | None = None) -> None:
    pack_model(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
