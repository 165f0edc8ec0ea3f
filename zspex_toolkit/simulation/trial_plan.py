"""The plan of a fixed extraction trial: a mixture, who is asked for, and the speech that tells who that is."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.compact_table import Selection
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Pool, draw_mixture
from zspex_toolkit.simulation.mixture_plan import MixturePlan, Source, plan_from_fields

CONDITIONS = ("present", "absent", "single")


@dataclass(frozen=True)
class Enrollment:
    """Samples ``start : start + num_samples`` of one utterance, or of several one behind the other."""

    utts: tuple[str, ...]
    start: int
    num_samples: int


@dataclass(frozen=True)
class TrialPlan:
    """One line of ``plan.jsonl`` of a trial directory; trials of one mixture repeat it."""

    id: str  # "<spk>-<mixture's id>"
    spk: str  # the speaker who is enrolled
    condition: str  # present; absent: the mixture is of two others; single: the mixture is of this speaker alone
    role: int | None  # which source of the mixture is asked for, from 1; None if absent
    enrollment: Enrollment
    mixture: MixturePlan


def plan_trials(
    pool: Pool,
    targets: Sequence[tuple[str, int]],
    *,
    seed: int,
    fs: int,
    snr_db,
    both_roles: bool = True,
    absent_share: float = 0.0,
    single_share: float = 0.0,
    enrollment_num_samples: tuple[int, int] | None = None,
    **options,
) -> list[TrialPlan]:
    """Trials without gains; each follows from the seed, the pool and its own target alone.

    Args:
        pool: utterances of speakers with two or more of them.
        targets: utterance and number of each mixture; numbers tell mixtures of one utterance apart.
        seed: of the draws.
        fs: rate of the utterances in Hz.
        snr_db: first source over second in dB, or a range to draw from.
        both_roles: ask for the interferer too, in a trial of its own.
        absent_share: probability that a mixture is asked for a third speaker instead.
        single_share: probability that the target speaks alone.
        enrollment_num_samples: shortest and longest enrollment; a whole utterance if None.
        options: of :func:`~zspex_toolkit.simulation.draw.draw_mixture`.

    Raises:
        DataDirError: if there are too few speakers.
    """
    trials = []
    for target, number in targets:
        rng = rng_for(seed, "trial mixture", target, number)
        chance = rng.random()
        single = absent_share <= chance < absent_share + single_share
        draw = _single if single else draw_mixture
        mixture = draw(rng, target, pool, snr_db=snr_db, fs=fs, seed=seed, **options)
        mixture = dataclasses.replace(mixture, id=f"{mixture.id}-{number + 1}") if number else mixture
        if chance < absent_share:
            taken = [source.spk for source in mixture.sources]
            asked = [(pool.draw_other(rng, taken), "absent", None)]
        elif single:
            asked = [(mixture.sources[0].spk, "single", 1)]
        else:
            roles = enumerate(mixture.sources[: None if both_roles else 1], start=1)
            asked = [(source.spk, "present", role) for role, source in roles]
        for spk, condition, role in asked:
            name = f"{spk}-{mixture.id}"
            enrollment = _enroll(rng_for(seed, "enrollment", name), pool, spk, mixture, enrollment_num_samples)
            trials.append(TrialPlan(name, spk, condition, role, enrollment, mixture))
    return sorted(trials, key=lambda trial: trial.id.encode())


def _single(rng: np.random.Generator, target: str, pool: Pool, *, fs: int, seed: int, **options) -> MixturePlan:
    """The target alone; of the options of a mixture only the longest length counts."""
    length = pool.utt2num_samples[target]
    taken = min(length, options.get("max_num_samples") or length)
    start = int(rng.integers(length - taken + 1))
    source = Source(target, pool.utt2spk[target], start, 0, taken)
    return MixturePlan(id=target, sources=(source,), snr_db=None, fs=fs, num_samples=taken, seed=seed)


def _enroll(
    rng: np.random.Generator, pool: Pool, spk: str, mixture: MixturePlan, bounds: tuple[int, int] | None
) -> Enrollment:
    """Speech of ``spk`` from utterances that are not in the mixture; of the length drawn, if there is so much."""
    others = pool.spk2utt.selection(spk)
    for source in mixture.sources:
        others = others.without(source.utt)
    others = Selection(pool.utterances, others.positions[rng.permutation(len(others))])
    if bounds is None:
        return Enrollment((others[0],), 0, pool.utt2num_samples[others[0]])
    wanted = int(rng.integers(bounds[0], bounds[1] + 1))
    lengths = np.cumsum([pool.utt2num_samples[utt] for utt in others])
    count = min(int(np.searchsorted(lengths, wanted)) + 1, len(others))
    taken = min(wanted, int(lengths[count - 1]))
    return Enrollment(tuple(islice(others, count)), int(rng.integers(lengths[count - 1] - taken + 1)), taken)


def read_trials(path: os.PathLike | str) -> list[TrialPlan]:
    """Read a file of trials, each a line of :func:`~zspex_toolkit.simulation.mixture_plan.to_line`.

    Raises:
        DataDirError: naming file and line, if a line is no plan of a trial.
    """
    path = Path(path)
    if not path.is_file():
        raise DataDirError(f"{path}: no such file; write it with plan_trials")
    return list(_parsed(path))


def _parsed(path: Path) -> Iterator[TrialPlan]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            fields = json.loads(line)
            enrollment = fields.pop("enrollment")
            enrollment = Enrollment(**{**enrollment, "utts": tuple(enrollment["utts"])})
            mixture = plan_from_fields(fields.pop("mixture"))
            trial = TrialPlan(enrollment=enrollment, mixture=mixture, **fields)
            if trial.condition not in CONDITIONS:
                raise ValueError(f"condition {trial.condition!r}")
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise DataDirError(f"{path}:{number}: expected the plan of a trial, got {line[:60]!r} ({fault})") from fault
        yield trial


def mixtures_of(trials: Sequence[TrialPlan]) -> list[MixturePlan]:
    """Each mixture once, in the order of their ids.

    Raises:
        DataDirError: if two trials describe mixtures of one id differently.
    """
    mixtures: Mapping[str, MixturePlan] = {}
    for trial in trials:
        if mixtures.setdefault(trial.mixture.id, trial.mixture) != trial.mixture:
            raise DataDirError(f"mixture {trial.mixture.id}: its trials describe it differently; plan them again")
    return [mixtures[name] for name in sorted(mixtures, key=str.encode)]
