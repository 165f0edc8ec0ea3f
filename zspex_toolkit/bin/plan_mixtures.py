"""Plan mixtures of the utterances of a data directory: who interferes, which stretches sound, how loud.

    python -m zspex_toolkit.bin.plan_mixtures --data data/test --out data/mix_test_snr0 --snr_db 0

Every utterance is the target of one mixture with a random utterance of a random other speaker. The plan depends on the
seed, not on the order or the number of processes. ``render_mixtures`` makes the audio.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.plan_mixtures import Config, plan_data_dir


def main(argv: list[str] | None = None) -> None:
    plan_data_dir(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
