"""Render planned extraction trials to 16-bit audio and make their folder a trial directory.

    python -m zspex_toolkit.bin.render_trials --data data/trials_test --source_data data/test --out dump/trials_test

Killed midway, the same command goes on where it stopped.
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.render_trials import render_trial_dir


@dataclass(frozen=True)
class Config:
    data: Path  # folder with plan.jsonl, as plan_trials wrote it
    source_data: Path  # data directory that the plan was made from
    out: Path  # folder of the audio
    noise_dir: Path | None = None  # folder of noise recordings (wav, flac), if the plan has noise
    room_dir: Path | None = None  # folder of room impulse responses (wav, flac), if the plan has rooms
    audio_format: str = "wav"  # wav or flac
    nj: int = 1  # number of processes


def main(argv=None):
    render_trial_dir(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
