"""Extract one speaker's voice from a recording, given enrollment recordings of that speaker.

zspex extract --mixture meeting.wav --enrollment me.wav --output me_only.wav

Any length, rate and number of channels. Many at once: --list jobs.tsv, with mixture, enrollment and output a line,
tabs between; of lines that follow each other with one mixture, all people are extracted at once. A clue that zspex
enroll made can stand in the place of recordings. Standard output tells the presence of each: the probability that the
speaker is in the mixture at all. --model takes a trained extractor's folder, or one of the
names that zspex models lists.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.jobs import Config, extract


def main(argv: list[str] | None = None) -> None:
    extract(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
