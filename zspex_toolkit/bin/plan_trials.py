"""Plan extraction trials of a data directory: mixtures, who is asked for, enrollment of that speaker.

    python -m zspex_toolkit.bin.plan_trials --data data/test --out data/trials_test --snr_db -5,5

Every utterance begins a mixture with random utterances of other speakers, and every speaker is asked for, in a trial
each. The plan depends on the seed, not on the order or the number of processes. ``render_trials`` makes the audio.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.prepare.plan_trials import Config, plan_trial_dir


def main(argv: list[str] | None = None) -> None:
    plan_trial_dir(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
