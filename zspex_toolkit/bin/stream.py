"""Extract one speaker's voice from live sound: standard input to standard output.

    arecord -q -f S16_LE -r 16000 | zspex stream --enrollment me.wav --model exp/tse/causal --format wav | aplay -q

Needs a causal network (``causal: true``). At the end, or after Ctrl-C, standard error tells latency and real-time
factor.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.live import Config, stream


def main(argv: list[str] | None = None) -> None:
    stream(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
