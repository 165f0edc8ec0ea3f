"""Make a clue of recordings of a speaker, once, to extract that speaker from any number of mixtures.

zspex enroll --enrollment me.wav,me_too.wav --output me.clue
zspex extract --mixture meeting.wav --clue me.clue --output me_only.wav

With --embedder an x-vector network makes it, for extractors that were trained on its embeddings (clue_dim), and --data
makes those of a whole trial directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.enroll import enroll


@dataclass(frozen=True)
class Config:
    model: Path | None = None  # folder of the extractor that makes the clue; unset: the one that is shipped
    embedder: Path | None = None  # or experiment of an x-vector network
    enrollment: tuple[str, ...] = ()  # recordings of the speaker alone, a.wav,b.wav; several are joined
    output: Path | None = None  # file to write, me.clue
    data: Path | None = None  # instead of both: trial directory that gets clue_spk1.scp, by --embedder
    device: str = "auto"  # auto, cpu or cuda:N


def main(argv: list[str] | None = None) -> None:
    enroll(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
