"""Draw a mixture: who interferes, which stretches sound, how loud. One code for sets on disk and for training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.compact_table import Choices, CompactTable, Groups, Numbers, Texts
from zspex_toolkit.simulation.mixture_plan import MixturePlan, Noise, Source
from zspex_toolkit.simulation.passage import Passage
from zspex_toolkit.simulation.speed import num_samples_at_speed

MODES = ("min", "max", "target")
Range = float | tuple[float, float]


class Pool:
    """Utterances that may be mixed, by speaker; drawing from it takes constant time, and processes share its memory.

    Args:
        utt2spk: speaker of each utterance.
        utt2num_samples: its length in samples.

    Raises:
        DataDirError: if an utterance has no length.
    """

    def __init__(self, utt2spk: Mapping[str, str], utt2num_samples: Mapping[str, int]):
        utt2spk = dict(utt2spk.items())
        utterances = sorted(utt2spk, key=str.encode)
        for utt in utterances:
            if utt not in utt2num_samples:
                raise DataDirError(f"utterance {utt}: no length in samples (utt2num_samples)")
        self.speakers = Texts(sorted(set(utt2spk.values()), key=str.encode))
        speaker_of = Choices((utt2spk[utt] for utt in utterances), self.speakers)
        self.utterances = Texts(utterances)
        self.utt2spk = CompactTable(self.utterances, speaker_of)
        self.spk2utt = Groups(self.utterances, speaker_of, self.speakers)
        self.utt2num_samples = CompactTable(self.utterances, Numbers(int(utt2num_samples[utt]) for utt in utterances))
        self._position = {spk: position for position, spk in enumerate(self.speakers)}

    def draw_interferers(self, rng: np.random.Generator, target_spk: str, count: int) -> list[str]:
        """``count`` utterances, each a random one of a random speaker; no speaker twice, none of ``target_spk``."""
        if count >= len(self.speakers):
            raise DataDirError(
                f"mixtures of {count + 1} speakers need at least {count + 1} speakers, found {len(self.speakers)}"
            )
        taken = [target_spk]
        utterances = []
        for _ in range(count):
            taken.append(self.draw_other(rng, taken))
            choices = self.spk2utt.selection(taken[-1])
            utterances.append(choices[int(rng.integers(len(choices)))])
        return utterances

    def draw_other(self, rng: np.random.Generator, taken: Sequence[str]) -> str:
        """A random speaker who is none of ``taken``.

        Raises:
            DataDirError: if there is none.
        """
        if len(taken) >= len(self.speakers):
            raise DataDirError(f"expected more than {len(taken)} speakers, found {len(self.speakers)}")
        position = int(rng.integers(len(self.speakers) - len(taken)))
        for earlier in sorted(self._position[spk] for spk in taken):  # skip over those taken: uniform over the rest
            position += position >= earlier
        return self.speakers[position]


def draw_mixture(
    rng: np.random.Generator,
    target: str,
    pool: Pool,
    *,
    snr_db: Range,
    fs: int,
    seed: int = 0,
    num_speakers: int = 2,
    mode: str = "min",
    max_num_samples: int | None = None,
    speeds: Sequence[float] = (1.0,),
    rooms: Sequence[str] = (),
    noises: Mapping[str, int] | None = None,
    noise_snr_db: Range = (5.0, 20.0),
) -> MixturePlan:
    """Plan the mixture of utterance ``target`` with random utterances of random other speakers.

    Args:
        rng: ``rng_for(seed, "mixture", target)`` for a set on disk, ``rng_for(seed, "mixture", epoch, index)`` for
            training: the plan follows from it and the pool alone.
        target: its utterance id.
        pool: the utterances to draw from.
        snr_db: target over the sum of the interferers, or a range to draw from.
        fs: rate of the utterances in Hz.
        seed: noted in the plan.
        num_speakers: 2 or more, the target included.
        mode: "min": all are cut to the shortest; "max": as long as the longest; "target": as long as the target.
            A longer utterance gives a random stretch, a shorter one sounds at a random place.
        max_num_samples: longest mixture.
        speeds: factors to draw each source's speed from.
        rooms: ids of impulse responses to draw each source's room from; none if empty.
        noises: length in samples of the noise recordings to draw one from; none if empty.
        noise_snr_db: sum of the sources over the noise, or a range to draw from.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if there are too few speakers.
    """
    check_settings(snr_db, num_speakers, mode, speeds)
    utterances = [target, *pool.draw_interferers(rng, pool.utt2spk[target], num_speakers - 1)]
    factors = [
        float(speeds[int(rng.integers(len(speeds)))]) if len(speeds) > 1 else float(speeds[0]) for _ in utterances
    ]
    lengths = [
        num_samples_at_speed(pool.utt2num_samples[utt], speed) for utt, speed in zip(utterances, factors, strict=True)
    ]
    total = {"min": min(lengths), "max": max(lengths), "target": lengths[0]}[mode]
    total = min(total, max_num_samples or total)
    sources: list[Source] = []
    for utt, speed, length in zip(utterances, factors, lengths, strict=True):
        taken = min(length, total)
        start = int(rng.integers(length - taken + 1))
        offset = draw_offset(rng, taken, total, sources[0] if sources else None)
        sources.append(Source(utt, pool.utt2spk[utt], start, offset, taken, speed=speed, room=draw_name(rng, rooms)))
    return MixturePlan(
        id="_".join(utterances),
        sources=tuple(sources),
        snr_db=draw_in_range(rng, snr_db),
        fs=fs,
        num_samples=total,
        seed=seed,
        noise=draw_noise(rng, noises or {}, noise_snr_db),
    )


def draw_offset(rng: np.random.Generator, taken: int, total: int, target: Source | Passage | None) -> int:
    """Where a source begins; an interferer overlaps with at least half of the target or half of itself."""
    first, last = 0, total - taken
    if target is not None:
        half = (min(taken, target.num_samples) + 1) // 2
        first = max(first, target.offset + half - taken)
        last = min(last, target.offset + target.num_samples - half)
    return int(rng.integers(first, last + 1))


def check_settings(snr_db: Range, num_speakers: int, mode: str, speeds: Sequence[float] = (1.0,)) -> None:
    """Refuse what no mixture can be made from.

    Raises:
        ConfigError: naming the setting.
    """
    check_range("snr_db", snr_db)
    if num_speakers < 2:
        raise ConfigError(f"num_speakers: expected 2 or more, got {num_speakers}")
    if mode not in MODES:
        raise ConfigError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    if not speeds or not all(0.1 <= speed <= 10 for speed in speeds):
        raise ConfigError(f"speeds: expected factors between 0.1 and 10, got {speeds}")


def check_range(name: str, bounds: Range) -> None:
    """Refuse a number of dB, or a pair to draw between, that is not finite or not in order.

    Raises:
        ConfigError: naming the setting.
    """
    ends = bounds if isinstance(bounds, Sequence) else (bounds,)
    if not 1 <= len(ends) <= 2 or not all(math.isfinite(end) for end in ends) or ends[0] > ends[-1]:
        raise ConfigError(f"{name}: expected a finite number of dB, or a lower and an upper one, got {bounds}")


def draw_name(rng: np.random.Generator, names: Sequence[str]) -> str | None:
    """A random one of the names; None if there is none."""
    return names[int(rng.integers(len(names)))] if names else None


def draw_in_range(rng: np.random.Generator, bounds: Range) -> float:
    """A number between two bounds; the number itself where there is one or they are equal."""
    if not isinstance(bounds, Sequence):
        return float(bounds)
    return float(rng.uniform(bounds[0], bounds[-1])) if bounds[0] < bounds[-1] else float(bounds[0])


def draw_noise(rng: np.random.Generator, noises: Mapping[str, int], snr_db: Range) -> Noise | None:
    """A random stretch of one of the recordings (name: length in samples); None if there is none."""
    name = draw_name(rng, sorted(noises))
    if name is None:
        return None
    return Noise(name, int(rng.integers(noises[name])), draw_in_range(rng, snr_db))
