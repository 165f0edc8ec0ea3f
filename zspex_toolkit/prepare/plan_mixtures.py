"""Plan the mixtures of a data directory, gains and all, so that rendering only has to read, scale and add."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.prepare.plan_set import check_out, fit_utterances, write_plan
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Mixing, draw_mixture
from zspex_toolkit.simulation.plan import Plan
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.speech import Speech

LEVELS = ("all", "active")


@dataclass(frozen=True)
class Config:
    """Settings of plan_mixtures."""

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


def plan_data_dir(config: Config) -> None:
    """Write ``out/plan.jsonl``, one mixture for each utterance of ``data``, and ``out/dropped.txt`` if some have none.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if ``data`` has too few speakers, utterances of several rates or such names that two mixtures
            have one id, or ``out`` is a data directory that no plan made.
        AudioError: if audio is missing or broken.
    """
    mixing = Mixing(
        config.snr_db,
        seed=config.seed,
        num_speakers=config.num_speakers,
        mode=config.mode,
        speeds=config.speeds,
        noise_snr_db=config.noise_snr_db,
    )
    if config.level not in LEVELS:
        raise ConfigError(f"level: expected one of {', '.join(LEVELS)}, got {config.level!r}")
    check_out(config.out)
    refuse_overwriting("out", config.out, [config.data])
    speech = Speech.load(config.data, config.noise_dir, config.room_dir, active_level=config.level == "active")
    pool, dropped = fit_utterances(speech, config.min_utt_s, config.num_speakers, config.nj)
    draw = partial(_draw, pool=pool, mixing=dataclasses.replace(mixing, **speech.surroundings()))
    _, count, told = write_plan(config.out, speech, draw, pool.utterances, dropped, config.nj)
    print(f"{config.out}: {len(speech.utterances.utterances)} utterances in, {count} mixtures planned, {told}")


def _draw(utt: str, *, pool: Pool, mixing: Mixing) -> list[Plan]:
    """The plan of an utterance's mixture, without gains: with one seed the partners are the same at every SNR."""
    return [draw_mixture(rng_for(mixing.seed, "mixture", utt), utt, pool, mixing)]
