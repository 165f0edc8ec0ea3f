"""Draw mixtures and the trials that ask for their speakers: one code for sets on disk and for training."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.simulation.channel import Channel, draw_channel
from zspex_toolkit.simulation.passage import draw_passage
from zspex_toolkit.simulation.perturb import num_samples_at_speed
from zspex_toolkit.simulation.plan import Enrollment, Noise, Passage, Plan, Trial
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.rooms import draw_next_place, in_other_rooms

MODES = ("min", "max", "target")
PARTIAL = (0.2, 1.2)  # between which the share is drawn that a source of a partial mixture keeps; above 1: all
FADE_S = 0.005  # in which it comes and goes
Range = float | Sequence[float]  # a number of dB, or a lower and an upper one to draw between


@dataclass(frozen=True)
class Mixing:
    """How mixtures are drawn, and enrollments for their speakers.

    Attributes:
        snr_db: target over the sum of the interferers.
        fs: rate of the utterances in Hz.
        seed: noted in the plans.
        num_speakers: 2 or more, the target included.
        mode: "min": all are cut to the shortest; "max": as long as the longest; "target": as long as the target.
            A longer utterance gives a random stretch, a shorter one sounds at a random place.
        num_samples: length of every mixture, whatever the mode; None: as the mode says.
        max_num_samples: longest mixture; None: no limit.
        join: fill a mixture with more utterances of each speaker, over and over, and enrollments alike.
        speeds: factors to draw each source's speed from.
        rooms: ids of impulse responses to draw each source's room from; none if empty.
        room_probability: share of mixtures in rooms.
        same_room: the speakers of a mixture stand in one room (``places.room_of``), enrollments are of other rooms.
        noises: length in samples of the noise recordings to draw one from; none if empty.
        noise_probability: share of mixtures with noise.
        noise_snr_db: sum of the sources over the noise.
        gain_db: on the whole mixture.
        channel_probability: share of mixtures recorded by a random microphone (``channel.draw_channel``).
        partial_probability: share of mixtures in which each source is a random stretch of what it would have been, at a
            random place: the target is silent for long, the others overlap with it in part or not at all.
        third_probability: share of mixtures with a speaker more than ``num_speakers``.
        enrollment_num_samples: shortest and longest; a whole utterance if None.
        join_enrollments: use several utterances if one is too short.
        treat_enrollments: give enrollments rooms, noise, microphones and gain as often as mixtures, each its own; else
            they are as recorded.

    Raises:
        ConfigError: if a setting is out of its range.
    """

    snr_db: Range
    fs: int = 0
    seed: int = 0
    num_speakers: int = 2
    mode: str = "min"
    num_samples: int | None = None
    max_num_samples: int | None = None
    join: bool = False
    speeds: Sequence[float] = (1.0,)
    rooms: Sequence[str] = ()
    room_probability: float = 1.0
    same_room: bool = False
    noises: Mapping[str, int] = field(default_factory=dict)
    noise_probability: float = 1.0
    noise_snr_db: Range = (5.0, 20.0)
    gain_db: Range = 0.0
    channel_probability: float = 0.0
    partial_probability: float = 0.0
    third_probability: float = 0.0
    enrollment_num_samples: tuple[int, int] | None = None
    join_enrollments: bool = True
    treat_enrollments: bool = False

    def __post_init__(self) -> None:
        for name in ("snr_db", "noise_snr_db", "gain_db"):
            check_range(name, getattr(self, name))
        for name in ("room", "noise", "channel", "partial", "third"):
            name = f"{name}_probability"
            check_probability(name, getattr(self, name))
        if self.num_speakers < 2:
            raise ConfigError(f"num_speakers: expected 2 or more, got {self.num_speakers}")
        if self.mode not in MODES:
            raise ConfigError(f"mode: expected one of {', '.join(MODES)}, got {self.mode!r}")
        if not self.speeds or not all(0.1 <= speed <= 10 for speed in self.speeds):
            raise ConfigError(f"speeds: expected factors between 0.1 and 10, got {self.speeds}")


def draw_mixture(
    rng: np.random.Generator, target: str, pool: Pool, mixing: Mixing, *, num_speakers: int | None = None
) -> Plan:
    """Plan the mixture of utterance ``target`` with random utterances of random other speakers.

    Args:
        rng: of this mixture alone: the plan follows from it, the pool and the settings.
        target: an utterance of ``pool``; the mixture begins with it.
        pool: the utterances to draw from; with ``mixing.join`` each speaker needs two.
        mixing: how to draw.
        num_speakers: 1: the target alone; None: as ``mixing`` says.

    Returns:
        The plan, without the sources' gains.

    Raises:
        DataDirError: if there are too few speakers.
    """
    num_speakers = num_speakers or mixing.num_speakers + _chance(rng, mixing.third_probability)
    is_partial = _chance(rng, mixing.partial_probability)
    has_rooms = _happens(rng, mixing.room_probability, mixing.rooms)
    has_noise = _happens(rng, mixing.noise_probability, mixing.noises)
    utterances = [target, *pool.draw_interferers(rng, pool.utt2spk[target], num_speakers - 1)]
    speeds = [_draw_speed(rng, mixing) for _ in utterances]
    total = mixing.num_samples or _length(utterances, speeds, pool, mixing)
    sources: list[Passage] = []
    for utt, speed in zip(utterances, speeds, strict=True):
        spk, positions = pool.utt2spk[utt], [pool.utterances.find(utt)]
        if mixing.join:  # the last one is never part of the mixture, so there is always speech to enroll with
            positions += list(pool.others_in_random_order(rng, spk, positions)[:-1])
        source = draw_passage(rng, pool, spk, positions, total, speed=speed, join=mixing.join)
        source = _draw_stretch(rng, source, mixing.fs) if is_partial else source
        offset = _draw_offset(rng, source.num_samples, total, sources[0] if sources and not is_partial else None)
        beside = [other.room for other in sources] if mixing.same_room else []
        room = draw_next_place(rng, mixing.rooms, beside) if has_rooms else None
        sources.append(dataclasses.replace(source, offset=offset, room=room))
    return Plan(
        id="_".join(utterances),
        sources=tuple(sources),
        snr_db=_draw_in_range(rng, mixing.snr_db) if num_speakers > 1 else None,
        fs=mixing.fs,
        num_samples=total,
        seed=mixing.seed,
        noise=_draw_noise(rng, mixing) if has_noise else None,
        gain=_draw_gain(rng, mixing),
        channel=_draw_channel(rng, mixing),
    )


def draw_trials(
    rng: np.random.Generator,
    mixture: Plan,
    roles: Sequence[int | None],
    pool: Pool,
    mixing: Mixing,
    *,
    enrollment_rng: Callable[[str], np.random.Generator] | None = None,
) -> list[Trial]:
    """A trial for each role: 1 for the mixture's first source, ...; None for a speaker who is not in the mixture.

    An enrollment has the speed of its speaker's source and shares no utterance with it.

    Args:
        rng: of this mixture alone.
        mixture: from :func:`draw_mixture`.
        roles: a role may be asked for several times, with an enrollment each.
        pool: utterances of speakers with two or more of them.
        mixing: how to draw.
        enrollment_rng: gives the random numbers of an enrollment by the trial's id; None: ``rng``.

    Raises:
        DataDirError: if there is no absent speaker.
    """
    stranger = pool.draw_other(rng, [source.spk for source in mixture.sources]) if None in roles else None
    used = [source.room for source in mixture.sources if source.room and mixing.same_room]
    rooms, trials = in_other_rooms(mixing.rooms, used), []
    for role in roles:
        source = mixture.sources[role - 1] if role else None
        spk = source.spk if source else stranger
        name = f"{spk}-{mixture.id}"
        own_rng = enrollment_rng(name) if enrollment_rng else rng
        enrollment = _draw_enrollment(own_rng, spk, source, pool, mixing, rooms)
        trials.append(Trial(name, role, enrollment, mixture))
    return trials


def check_range(name: str, bounds: Range) -> None:
    """Refuse a number of dB, or a pair to draw between, that is not finite or not in order.

    Raises:
        ConfigError: naming the setting.
    """
    ends = bounds if isinstance(bounds, Sequence) else (bounds,)
    if not 1 <= len(ends) <= 2 or not all(math.isfinite(end) for end in ends) or ends[0] > ends[-1]:
        raise ConfigError(f"{name}: expected a finite number of dB, or a lower and an upper one, got {bounds}")


def check_probability(name: str, value: float) -> None:
    """Raises ConfigError unless ``value`` is between 0 and 1."""
    if not 0 <= value <= 1:
        raise ConfigError(f"{name}: expected a number from 0 to 1, got {value}")


def _draw_enrollment(
    rng: np.random.Generator, spk: str, source: Passage | None, pool: Pool, mixing: Mixing, rooms: Sequence[str]
) -> Enrollment:
    used = [pool.utterances.find(utt) for utt in source.utterances] if source else []
    others = pool.others_in_random_order(rng, spk, used)
    bounds = mixing.enrollment_num_samples
    passage = draw_passage(
        rng,
        pool,
        spk,
        others,
        None if bounds is None else int(rng.integers(bounds[0], bounds[1] + 1)),
        speed=source.speed if source else _draw_speed(rng, mixing),
        join=mixing.join_enrollments,
        repeat=mixing.join,
    )
    if not mixing.treat_enrollments:
        return Enrollment(passage)
    has_room = _happens(rng, mixing.room_probability, rooms)
    has_noise = _happens(rng, mixing.noise_probability, mixing.noises)
    room = _draw_name(rng, rooms) if has_room else None
    passage = dataclasses.replace(passage, room=room, gain=_draw_gain(rng, mixing))
    noise = _draw_noise(rng, mixing) if has_noise else None
    return Enrollment(passage, noise, _draw_channel(rng, mixing))


def _length(utterances: Sequence[str], speeds: Sequence[float], pool: Pool, mixing: Mixing) -> int:
    """Of a mixture of these utterances, in samples."""
    lengths = [
        num_samples_at_speed(pool.num_samples[pool.utterances.find(utt)], speed)
        for utt, speed in zip(utterances, speeds, strict=True)
    ]
    total = {"min": min(lengths), "max": max(lengths), "target": lengths[0]}[mixing.mode]
    return min(total, mixing.max_num_samples or total)


def _draw_stretch(rng: np.random.Generator, source: Passage, fs: int) -> Passage:
    """A random part of it, which comes and goes softly."""
    taken = math.ceil(source.num_samples * min(1.0, _draw_in_range(rng, PARTIAL)))
    start = source.start + int(rng.integers(source.num_samples - taken + 1))
    return dataclasses.replace(source, start=start, num_samples=taken, fade=round(FADE_S * fs))


def _draw_offset(rng: np.random.Generator, taken: int, total: int, target: Passage | None) -> int:
    """Where a source begins; an interferer overlaps with at least half of the target or half of itself."""
    first, last = 0, total - taken
    if target is not None:
        half = (min(taken, target.num_samples) + 1) // 2
        first = max(first, target.offset + half - taken)
        last = min(last, target.offset + target.num_samples - half)
    return int(rng.integers(first, last + 1))


def _happens(rng: np.random.Generator, probability: float, choices: Sequence | Mapping) -> bool:
    return bool(choices) and (probability >= 1 or rng.random() < probability)


def _chance(rng: np.random.Generator, probability: float) -> bool:
    """Takes no number where the probability is 0: other draws stay what they are without this one."""
    return probability > 0 and rng.random() < probability


def _draw_channel(rng: np.random.Generator, mixing: Mixing) -> Channel | None:
    return draw_channel(rng, mixing.fs) if _chance(rng, mixing.channel_probability) else None


def _draw_speed(rng: np.random.Generator, mixing: Mixing) -> float:
    speeds = mixing.speeds
    return float(speeds[int(rng.integers(len(speeds)))] if len(speeds) > 1 else speeds[0])


def _draw_name(rng: np.random.Generator, names: Sequence[str]) -> str:
    return names[int(rng.integers(len(names)))]


def _draw_in_range(rng: np.random.Generator, bounds: Range) -> float:
    """A number between two bounds; the number itself where there is one or they are equal."""
    if not isinstance(bounds, Sequence):
        return float(bounds)
    return float(rng.uniform(bounds[0], bounds[-1])) if bounds[0] < bounds[-1] else float(bounds[0])


def _draw_gain(rng: np.random.Generator, mixing: Mixing) -> float:
    return 10 ** (_draw_in_range(rng, mixing.gain_db) / 20)


def _draw_noise(rng: np.random.Generator, mixing: Mixing) -> Noise:
    """A random stretch of one of the recordings."""
    name = _draw_name(rng, sorted(mixing.noises))
    return Noise(name, int(rng.integers(mixing.noises[name])), _draw_in_range(rng, mixing.noise_snr_db))
