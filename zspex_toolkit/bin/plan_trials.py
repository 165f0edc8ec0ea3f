"""Plan extraction trials of a data directory: mixtures, who is asked for, enrollment of that speaker.

    python -m zspex_toolkit.bin.plan_trials --data data/test --out data/trials_test --snr_db -5,5

Every utterance begins a mixture with random utterances of other speakers, and every speaker is asked for, in a trial
each. The plan depends on the seed, not on the order or the number of processes. ``render_trials`` makes the audio.
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.plan_trials import plan_trial_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory; all speech comes from it
    out: Path  # folder for plan.jsonl; rendering makes it a trial directory
    snr_db: tuple[float, ...] = (-5.0, 5.0)  # first speaker over the others; two values: drawn between them
    num_speakers: int = 2  # speakers of a mixture
    mode: str = "min"  # length: min (cut to the shortest), max (as long as the longest), target (as long as the first)
    mixtures_per_utterance: int = 1  # mixtures that each utterance begins
    speakers: int = 0  # only so many speakers, drawn, are targets; 0: all
    per_speaker: int = 0  # so many trials of each, and none of their interferers; 0: of all speakers of every mixture
    absent_share: float = 0.0  # share of mixtures that are asked for a speaker who is not in them
    single_share: float = 0.0  # share of mixtures of one speaker alone
    enrollment_seconds: tuple[float, ...] = ()  # one length, or two to draw between; unset: whole utterances
    max_seconds: float = 0.0  # longest mixture; 0: no limit
    min_utt_s: float = 0.5  # shorter utterances are dropped
    noise_dir: Path | None = None  # folder of noise recordings (wav, flac)
    noise_snr_db: tuple[float, ...] = (5.0, 20.0)  # speech over the noise; two values: drawn between them
    room_dir: Path | None = None  # folder of room impulse responses (wav, flac)
    seed: int = 0  # the plan follows from it
    nj: int = 1  # number of processes


def main(argv=None):
    plan_trial_dir(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
