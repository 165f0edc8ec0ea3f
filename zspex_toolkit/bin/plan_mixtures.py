"""Plan mixtures of the utterances of a data directory: who interferes, which stretches sound, how loud.

    python -m zspex_toolkit.bin.plan_mixtures --data data/test --out data/mix_test_snr0 --snr_db 0

Every utterance is the target of one mixture with a random utterance of a random other speaker. The plan depends on the
seed, not on the order or the number of processes. ``render_mixtures`` makes the audio.
"""

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.infer.plan_mixtures import plan_data_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory; target and interferers come from it
    out: Path  # folder for plan.jsonl; rendering makes it a data directory
    snr_db: tuple[float, ...] = (0.0,)  # target over the sum of the interferers; two values: drawn between them
    num_speakers: int = 2  # speakers of a mixture, the target included
    mode: str = "min"  # length: min (cut to the shortest), max (as long as the longest), target (as long as the target)
    level: str = "all"  # powers over all overlapping samples, or over the active ones (needs vad.scp)
    min_utt_s: float = 0.5  # shorter utterances are dropped
    speeds: tuple[float, ...] = (1.0,)  # factors to draw each source's speed from
    noise_dir: Path | None = None  # folder of noise recordings (wav, flac)
    noise_snr_db: tuple[float, ...] = (5.0, 20.0)  # sum of the sources over the noise; two values: drawn between them
    room_dir: Path | None = None  # folder of room impulse responses (wav, flac)
    seed: int = 0  # the plan follows from it
    nj: int = 1  # number of processes


def main(argv=None):
    plan_data_dir(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
