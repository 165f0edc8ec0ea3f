"""Extract one speaker's voice from a recording, given enrollment recordings of that speaker.

zspex extract --mixture meeting.wav --enrollment me.wav --output me_only.wav

Any length, rate and number of channels. Many at once: --list jobs.tsv, with mixture, enrollment and output a line,
tabs between; of lines that follow each other with one mixture, all people are extracted at once. A clue that zspex
enroll made can stand in the place of recordings. Standard output tells the presence of each: the probability that the
speaker is in the mixture at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.extract_jobs import extract


@dataclass(frozen=True)
class Config:
    model: Path | None = None  # folder of a trained extractor; unset: the one that is shipped
    mixture: str | None = None  # recording in which several people speak
    enrollment: tuple[str, ...] = ()  # recordings of the speaker alone, a.wav,b.wav; several are joined
    clue: tuple[str, ...] = ()  # instead: me.clue of zspex enroll, or an embedding: e.npy, e.ark:15, xvector.scp:key
    output: Path | None = None  # file to write (.wav or .flac), as long as the mixture and at its rate
    list: Path | None = None  # many jobs instead: mixture, enrollment (or clue:me.clue) and output a line, tabs between
    device: str = "auto"  # auto, cpu or cuda:N
    channels: str = "mono"  # of the output: mono (the mean of all channels) or each (every channel by itself)
    normalize_output: str = "mixture"  # mixture (as loud as in it), peak (a peak of 0.9) or none (the network's level)
    sample_format: str = "int16"  # int16, int24 or float32
    chunk_s: float = 12.0  # longest part that the network sees at once, in seconds


def main(argv: list[str] | None = None) -> None:
    extract(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
