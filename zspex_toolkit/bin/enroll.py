"""Make a clue of recordings of a speaker, once, to extract that speaker from any number of mixtures.

zspex enroll --enrollment me.wav,me_too.wav --output me.clue
zspex extract --mixture meeting.wav --clue me.clue --output me_only.wav

With --embedder an x-vector network makes it, for extractors that were trained on its embeddings (clue_dim), and --data
makes those of a whole trial directory.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.enroll import Config, enroll


def main(argv: list[str] | None = None) -> None:
    enroll(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
