"""Make room impulse responses by the image method: small rooms with several places for speakers in each.

    python -m zspex_toolkit.bin.simulate_rooms --out data/rooms --num_rooms 300 --nj 8

Needs the package pyroomacoustics (extra ``rooms``). Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.simulate_rooms import Config, simulate_rooms


def main(argv: list[str] | None = None) -> None:
    simulate_rooms(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
