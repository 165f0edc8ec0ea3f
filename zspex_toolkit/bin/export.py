"""Write a trained extractor as ONNX files, which onnxruntime runs on any machine, from Python, C++, Java or a browser.

zspex export --model exp/tse/band_split --out me.onnx --int8 true --data data/trials_dev

For whole recordings: me_enroll.onnx (enrollment to clue) and me.onnx (mixture and clue to target); of a causal network
me_stream.onnx, too, which takes the mixture block by block. docs/onnx.md tells how they are run.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.export.onnx import Config, export


def main(argv: list[str] | None = None) -> None:
    export(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
