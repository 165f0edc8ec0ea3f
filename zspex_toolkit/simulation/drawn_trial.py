"""Draw one training mixture and the enrollments that ask for its speakers: what sounds, who is asked for, how loud."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.io.compact_table import Selection
from zspex_toolkit.simulation.draw import Pool, Range, draw_in_range, draw_name, draw_noise, draw_offset
from zspex_toolkit.simulation.mixture_plan import Noise
from zspex_toolkit.simulation.passage import Passage, draw_passage


@dataclass(frozen=True)
class Enrollment:
    """Speech of one speaker, and which source of the mixture is that speaker's."""

    passage: Passage
    role: int | None  # index of the source; None where the speaker is not in the mixture
    gain_db: float
    noise: Noise | None


@dataclass(frozen=True)
class DrawnTrial:
    """A mixture of one or two sources; two enrollments, each of which makes a row of a batch.

    Each source of two is asked for once, a single one twice; an enrollment of an absent speaker may take either place.
    """

    sources: tuple[Passage, ...]
    enrollments: tuple[Enrollment, Enrollment]
    num_samples: int
    snr_db: float  # first source over the second, where both sound
    gain_db: float  # on everything
    noise: Noise | None


@dataclass(frozen=True)
class TrialSettings:
    """What trials are drawn from and how; see :class:`zspex_toolkit.data.drawn_trials.DrawConfig`."""

    num_samples: int
    enrollment_num_samples: tuple[int, int]  # shortest and longest
    snr_db: Range
    gain_db: Range
    speeds: Sequence[float]
    join_utterances: bool
    absent_probability: float
    single_probability: float
    rooms: Sequence[str]
    room_probability: float
    noises: Mapping[str, int]  # lengths of the recordings
    noise_probability: float
    noise_snr_db: Range


def draw_trial(rng: np.random.Generator, target: str, pool: Pool, settings: TrialSettings) -> DrawnTrial:
    """The plan of one mixture that begins with utterance ``target``.

    Args:
        rng: of this item alone: the plan follows from it.
        target: an utterance of ``pool``.
        pool: utterances of speakers with two or more of them.
        settings: how to draw.

    An enrollment shares no utterance with its speaker's source, whose speed it has.

    Raises:
        DataDirError: if there are too few speakers.
    """
    return _Draw(rng, pool, settings).trial(target)


class _Draw:
    def __init__(self, rng: np.random.Generator, pool: Pool, settings: TrialSettings):
        self._rng, self._pool, self._settings = rng, pool, settings

    def trial(self, target: str) -> DrawnTrial:
        rng, settings = self._rng, self._settings
        single = settings.single_probability > 0 and rng.random() < settings.single_probability
        absent = [settings.absent_probability > 0 and rng.random() < settings.absent_probability for _ in range(2)]
        others = self._pool.draw_interferers(rng, self._pool.utt2spk[target], 2 if any(absent) else 1)
        source, enrollment = self._speaker(target)
        second = self._speaker(target, taken=source) if single else self._speaker(others[0])
        sources = (source,) if single else (source, second[0])
        asked = [(enrollment, 0), (second[1], 0 if single else 1)]
        for row in range(2):
            if absent[row]:
                asked[row] = (self._speaker(others[1])[1], None)
        return DrawnTrial(
            sources=self._placed(sources),
            enrollments=tuple(self._enrollment(passage, role) for passage, role in asked),
            num_samples=settings.num_samples,
            snr_db=draw_in_range(rng, settings.snr_db),
            gain_db=draw_in_range(rng, settings.gain_db),
            noise=self._noise(),
        )

    def _speaker(self, utt: str, taken: Passage | None = None) -> tuple[Passage, Passage]:
        """A passage that begins with ``utt`` (or is ``taken``), and another of the same speaker to enroll with."""
        rng, pool, settings = self._rng, self._pool, self._settings
        spk = pool.utt2spk[utt]
        others = pool.spk2utt.selection(spk).without(utt).positions
        others = others[rng.permutation(len(others))]
        if taken is None:
            speed = float(settings.speeds[int(rng.integers(len(settings.speeds)))])
            # The last one is never part of the passage, so there is always speech to enroll with.
            taken = self._passage([pool.utterances.find(utt), *others[:-1]], settings.num_samples, speed)
        left = Selection(pool.utterances, others[::-1])
        for used in set(taken.utterances):
            left = left.without(used)
        low, high = settings.enrollment_num_samples
        return taken, self._passage(left.positions, int(rng.integers(low, high + 1)), taken.speed)

    def _passage(self, positions: Sequence[int], num_samples: int, speed: float) -> Passage:
        pool, join = self._pool, self._settings.join_utterances
        utterances = Selection(pool.utterances, positions)
        spk = pool.utt2spk[utterances[0]]
        return draw_passage(self._rng, spk, utterances, pool.utt2num_samples, num_samples, speed=speed, join=join)

    def _placed(self, sources: tuple[Passage, ...]) -> tuple[Passage, ...]:
        """With rooms, and where each begins: short ones anywhere, as long as they overlap."""
        placed: list[Passage] = []
        has_rooms = self._happens(self._settings.room_probability, self._settings.rooms)
        for source in sources:
            first = placed[0] if placed else None
            offset = draw_offset(self._rng, source.num_samples, self._settings.num_samples, first)
            room = draw_name(self._rng, self._settings.rooms) if has_rooms else None
            placed.append(dataclasses.replace(source, offset=offset, room=room))
        return tuple(placed)

    def _enrollment(self, passage: Passage, role: int | None) -> Enrollment:
        rng, settings = self._rng, self._settings
        if self._happens(settings.room_probability, settings.rooms):
            passage = dataclasses.replace(passage, room=draw_name(rng, settings.rooms))
        return Enrollment(passage, role, draw_in_range(rng, settings.gain_db), self._noise())

    def _noise(self) -> Noise | None:
        settings = self._settings
        if not self._happens(settings.noise_probability, settings.noises):
            return None
        return draw_noise(self._rng, settings.noises, settings.noise_snr_db)

    def _happens(self, probability: float, there_are) -> bool:
        return bool(there_are) and self._rng.random() < probability
