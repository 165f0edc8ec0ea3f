"""Make recordings of noise: babble out of a data directory, fans, hum, clatter, coloured noise.

    python -m zspex_toolkit.bin.simulate_noise --out data/noises --data data/train --nj 8

Killed midway, the same command goes on where it stopped.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.simulate_noise import Config, simulate_noise


def main(argv: list[str] | None = None) -> None:
    simulate_noise(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
