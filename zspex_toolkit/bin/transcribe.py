"""Write the words of a recording to standard output; of one speaker alone if there is an enrollment.

zspex transcribe --model exp/asr/recogniser --audio meeting.wav --enrollment me.wav

Any length and rate. Many at once: --list jobs.tsv, with a recording and, behind tabs, enrollments of its speaker in
each line; the path of the recording then stands before its words. --times true gives each word its own line, with
start and length in seconds.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.recognise.transcribe import Config, transcribe


def main(argv: list[str] | None = None) -> None:
    transcribe(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
