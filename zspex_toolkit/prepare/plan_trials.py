"""Plan the trials of a data directory: mixtures, gains and all, who is asked for, and with which enrollment."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.prepare.plan_set import check_out, fit_utterances, write_plan
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Mixing, check_probability, draw_mixture, draw_trials
from zspex_toolkit.simulation.plan import Trial
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.speech import Speech

SHARES = ("third", "partial", "channel", "noise", "room")  # of mixtures, whoever is asked for


@dataclass(frozen=True)
class Config:
    """Settings of plan_trials."""

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
    third_share: float = 0.0  # share of mixtures with one speaker more
    partial_share: float = 0.0  # share of mixtures in which everyone speaks for a random part of the time
    channel_share: float = 0.0  # share of mixtures from random microphones
    gain_db: tuple[float, ...] = (0.0,)  # gain on a mixture; two values: drawn between them
    treat_enrollments: bool = False  # rooms, noise, microphones and gain for enrollments, too, each its own
    enrollment_seconds: tuple[float, ...] = ()  # one length, or two to draw between; unset: whole utterances
    max_seconds: float = 0.0  # longest mixture; 0: no limit
    min_utt_s: float = 0.5  # shorter utterances are dropped
    noise_dir: Path | None = None  # folder of noise recordings (wav, flac)
    noise_snr_db: tuple[float, ...] = (5.0, 20.0)  # speech over the noise; two values: drawn between them
    noise_share: float = 1.0  # share of mixtures with noise, if there are recordings
    room_dir: Path | None = None  # folder of room impulse responses (wav, flac)
    room_share: float = 1.0  # share of mixtures in rooms, if there are responses
    same_room: bool = False  # speakers of a mixture stand in one room, and enrollments come from other rooms
    seed: int = 0  # the plan follows from it
    nj: int = 1  # number of processes


def plan_trial_dir(config: Config) -> None:
    """Write ``out/plan.jsonl``, a trial a line, and ``out/dropped.txt`` if utterances or mixtures are left out.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if ``data`` has too few speakers or utterances of several rates, or ``out`` is a data directory
            that no plan made.
        AudioError: if audio is missing or broken.
    """
    lengths_s = config.enrollment_seconds
    _check_numbers(config)
    mixing = Mixing(
        config.snr_db,
        seed=config.seed,
        num_speakers=config.num_speakers,
        mode=config.mode,
        noise_snr_db=config.noise_snr_db,
        gain_db=config.gain_db,
        same_room=config.same_room,
        treat_enrollments=config.treat_enrollments,
        **{f"{name}_probability": getattr(config, f"{name}_share") for name in SHARES},
    )
    check_out(config.out)
    refuse_overwriting("out", config.out, [config.data])
    speech = Speech.load(config.data, config.noise_dir, config.room_dir)
    num_speakers = config.num_speakers + bool(config.third_share)
    pool, dropped = fit_utterances(speech, config.min_utt_s, num_speakers, config.nj, least=2)
    mixing = dataclasses.replace(
        mixing,
        max_num_samples=round(config.max_seconds * speech.fs) or None,
        enrollment_num_samples=(round(lengths_s[0] * speech.fs), round(lengths_s[-1] * speech.fs))
        if lengths_s
        else None,
        **speech.surroundings(),
    )
    draw = partial(_draw, pool=pool, mixing=mixing, config=config)
    conditions, count, told = write_plan(config.out, speech, draw, _targets(pool, config), dropped, config.nj)
    counted = ", ".join(f"{number} {condition}" for condition, number in sorted(conditions.items()))
    print(f"{config.out}: {conditions.total()} trials ({counted}) of {count} mixtures planned, {told}")


def _check_numbers(config: Config) -> None:
    for name in ("absent", "single", *SHARES):
        check_probability(f"{name}_share", getattr(config, f"{name}_share"))
    total, lengths_s = config.absent_share + config.single_share, config.enrollment_seconds
    if total > 1:
        raise ConfigError(f"absent_share and single_share: expected a sum up to 1, got {total}")
    ordered = lengths_s == tuple(sorted(lengths_s))
    if len(lengths_s) > 2 or not ordered or not all(0 < s < float("inf") for s in lengths_s):
        raise ConfigError(f"enrollment_seconds: expected a length above 0, or two, got {list(lengths_s)}")
    for name, least in {"mixtures_per_utterance": 1, "speakers": 0, "per_speaker": 0}.items():
        if getattr(config, name) < least:
            raise ConfigError(f"{name}: expected at least {least}, got {getattr(config, name)}")


def _targets(pool: Pool, config: Config) -> list[tuple[str, int]]:
    """First source of each mixture, and its number among those of the same utterance."""
    chosen, speakers = pool.speakers, config.speakers
    if speakers:
        if speakers > len(chosen):
            raise ConfigError(f"speakers: expected at most {len(chosen)}, as the data have, got {speakers}")
        order = rng_for(config.seed, "speakers").permutation(len(chosen))
        chosen = [pool.speakers[position] for position in sorted(order[:speakers])]
    targets = []
    for spk in chosen:
        utterances = pool.spk2utt[spk]
        count = config.per_speaker or config.mixtures_per_utterance * len(utterances)
        order = rng_for(config.seed, "targets", spk).permutation(len(utterances))
        targets += [(utterances[order[number % len(utterances)]], number // len(utterances)) for number in range(count)]
    return targets


def _draw(target: tuple[str, int], *, pool: Pool, mixing: Mixing, config: Config) -> list[Trial]:
    """The trials of a mixture, without gains; they follow from the seed, the pool and their own target alone."""
    utt, number = target
    rng = rng_for(mixing.seed, "trial mixture", utt, number)
    chance = rng.random()
    absent = chance < config.absent_share
    single = not absent and chance < config.absent_share + config.single_share
    mixture = draw_mixture(rng, utt, pool, mixing, num_speakers=1 if single else None)
    mixture = dataclasses.replace(mixture, id=f"{mixture.id}-{number + 1}") if number else mixture
    roles = [None] if absent else [1] if single or config.per_speaker else list(range(1, len(mixture.sources) + 1))
    enrollment_rng = partial(rng_for, mixing.seed, "enrollment")
    return draw_trials(rng, mixture, roles, pool, mixing, enrollment_rng=enrollment_rng)
