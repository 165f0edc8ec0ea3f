"""Plan the trials of a data directory: mixtures, gains and all, who is asked for, and with which enrollment."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.infer.plan_set import check_out, fit_utterances, write_plan
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Mixing, check_probability, draw_mixture, draw_trials
from zspex_toolkit.simulation.plan import Trial
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.speech import Speech


def plan_trial_dir(
    data: os.PathLike | str,
    out: os.PathLike | str,
    *,
    snr_db: Sequence[float] = (-5.0, 5.0),
    num_speakers: int = 2,
    mode: str = "min",
    mixtures_per_utterance: int = 1,
    speakers: int = 0,
    per_speaker: int = 0,
    absent_share: float = 0.0,
    single_share: float = 0.0,
    enrollment_seconds: Sequence[float] = (),
    max_seconds: float = 0.0,
    min_utt_s: float = 0.5,
    noise_dir: os.PathLike | str | None = None,
    noise_snr_db: Sequence[float] = (5.0, 20.0),
    room_dir: os.PathLike | str | None = None,
    seed: int = 0,
    nj: int = 1,
) -> None:
    """Write ``out/plan.jsonl``, a trial a line, and ``out/dropped.txt`` if utterances or mixtures are left out.

    Args:
        data: data directory; all speech comes from it.
        out: folder of the plan; ``render_trials`` makes it a trial directory.
        snr_db: first speaker over the others, one ratio or two to draw between.
        num_speakers: of a mixture.
        mode: length of a mixture: min, max or target.
        mixtures_per_utterance: mixtures that each utterance is the first source of.
        speakers: only so many speakers, drawn, are targets; all if 0.
        per_speaker: so many trials of each, as their utterances come, and none of their interferers; 0 plans
            ``mixtures_per_utterance``, and asks for every speaker of each.
        absent_share: probability that a mixture is asked for a speaker who is not in it instead.
        single_share: probability that a target speaks alone.
        enrollment_seconds: one length, or two to draw between; whole utterances if empty.
        max_seconds: longest mixture; 0: no limit.
        min_utt_s: shorter utterances are dropped.
        noise_dir, noise_snr_db, room_dir: as in :func:`~zspex_toolkit.infer.plan_mixtures.plan_data_dir`.
        seed: the plan follows from it, the options and ``data``.
        nj: number of processes.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if ``data`` has too few speakers or utterances of several rates, or ``out`` is a data directory
            that no plan made.
        AudioError: if audio is missing or broken.
    """
    lengths_s = tuple(enrollment_seconds)
    mixing = Mixing(tuple(snr_db), seed=seed, num_speakers=num_speakers, mode=mode, noise_snr_db=tuple(noise_snr_db))
    _check_numbers(absent_share, single_share, lengths_s, mixtures_per_utterance, speakers, per_speaker)
    check_out(Path(out))
    speech = Speech.load(data, noise_dir, room_dir)
    pool, dropped = fit_utterances(speech, min_utt_s, num_speakers, nj, least=2)
    mixing = dataclasses.replace(
        mixing,
        max_num_samples=round(max_seconds * speech.fs) or None,
        enrollment_num_samples=(round(lengths_s[0] * speech.fs), round(lengths_s[-1] * speech.fs))
        if lengths_s
        else None,
        **speech.surroundings(),
    )
    num_roles = 1 if per_speaker else num_speakers
    draw = partial(_draw, pool=pool, mixing=mixing, shares=(absent_share, single_share), num_roles=num_roles)
    targets = _targets(pool, mixtures_per_utterance, speakers, per_speaker, seed)
    conditions, count, told = write_plan(Path(out), speech, draw, targets, dropped, nj)
    counted = ", ".join(f"{number} {condition}" for condition, number in sorted(conditions.items()))
    print(f"{out}: {conditions.total()} trials ({counted}) of {count} mixtures planned, {told}")


def _check_numbers(absent_share, single_share, enrollment_seconds, *counts: int) -> None:
    for name, share in (("absent_share", absent_share), ("single_share", single_share)):
        check_probability(name, share)
    if absent_share + single_share > 1:
        raise ConfigError(f"absent_share and single_share: expected a sum up to 1, got {absent_share + single_share}")
    ordered = enrollment_seconds == tuple(sorted(enrollment_seconds))
    if len(enrollment_seconds) > 2 or not ordered or not all(0 < s < float("inf") for s in enrollment_seconds):
        raise ConfigError(f"enrollment_seconds: expected a length above 0, or two, got {list(enrollment_seconds)}")
    for name, least, count in zip(
        ("mixtures_per_utterance", "speakers", "per_speaker"), (1, 0, 0), counts, strict=True
    ):
        if count < least:
            raise ConfigError(f"{name}: expected at least {least}, got {count}")


def _targets(pool: Pool, per_utterance: int, speakers: int, per_speaker: int, seed: int) -> list[tuple[str, int]]:
    """First source of each mixture, and its number among those of the same utterance."""
    chosen = pool.speakers
    if speakers:
        if speakers > len(chosen):
            raise ConfigError(f"speakers: expected at most {len(chosen)}, as the data have, got {speakers}")
        order = rng_for(seed, "speakers").permutation(len(chosen))
        chosen = [pool.speakers[position] for position in sorted(order[:speakers])]
    targets = []
    for spk in chosen:
        utterances = pool.spk2utt[spk]
        count = per_speaker or per_utterance * len(utterances)
        order = rng_for(seed, "targets", spk).permutation(len(utterances))
        targets += [(utterances[order[number % len(utterances)]], number // len(utterances)) for number in range(count)]
    return targets


def _draw(
    target: tuple[str, int], *, pool: Pool, mixing: Mixing, shares: tuple[float, float], num_roles: int
) -> list[Trial]:
    """The trials of a mixture, without gains; they follow from the seed, the pool and their own target alone."""
    utt, number = target
    absent_share, single_share = shares
    rng = rng_for(mixing.seed, "trial mixture", utt, number)
    chance = rng.random()
    absent = chance < absent_share
    single = not absent and chance < absent_share + single_share
    mixture = draw_mixture(rng, utt, pool, mixing, num_speakers=1 if single else None)
    mixture = dataclasses.replace(mixture, id=f"{mixture.id}-{number + 1}") if number else mixture
    roles = [None] if absent else [1] if single else list(range(1, num_roles + 1))
    enrollment_rng = partial(rng_for, mixing.seed, "enrollment")
    return draw_trials(rng, mixture, roles, pool, mixing, enrollment_rng=enrollment_rng)
