"""New extraction trials in every epoch: other partners, stretches, levels and enrollments, from clean waveforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zspex_toolkit.data.embeddings import EmbeddingTable
from zspex_toolkit.data.trial_rows import TrialRow, collate_rows
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Mixing, check_probability, draw_mixture, draw_trials
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.plan import Trial
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.recordings import Recordings
from zspex_toolkit.simulation.render import Rendered, render, render_enrollment

ATTEMPTS = 30  # draws of an item until all of it sounds ...
FROM_TARGET = 10  # ... of which so many begin with its own utterance, which may be silence itself


@dataclass(frozen=True)
class DrawConfig:
    """Mixing on the fly: every utterance begins a mixture, each of whose speakers is the target in turn."""

    source_data: Path | None = None  # data directory of the clean utterances
    segment_seconds: float = 4.0  # length of a mixture
    enrollment_seconds: tuple[float, ...] = (4.0,)  # length of an enrollment: one value, or a range to draw from
    num_speakers: int = 2  # of a mixture
    num_targets: int = 0  # so many of its speakers are asked for, a row of the batch each; 0: all
    snr_db: tuple[float, ...] = (-5.0, 5.0)  # first speaker over the others: one value, or a range to draw from
    gain_db: tuple[float, ...] = (-5.0, 5.0)  # gain on a mixture, and on an enrollment: one value, or a range
    mixtures_per_utterance: int = 1  # mixtures that begin with an utterance in one epoch
    min_utt_s: float = 0.5  # shorter utterances are left out
    join_utterances: bool = True  # fill segments and enrollments with more utterances of the speaker if one is short
    speeds: tuple[float, ...] = (1.0,)  # factors, one drawn for each speaker of a mixture
    speed_as_speaker: bool = False  # a speaker at another speed counts as another speaker
    absent_probability: float = 0.0  # share of rows that ask for a speaker who is not in the mixture
    single_probability: float = 0.0  # share of mixtures of one speaker alone
    third_probability: float = 0.0  # share of mixtures with one speaker more, for whom nobody asks
    partial_probability: float = 0.0  # share of mixtures in which everyone speaks for a random part of the time
    channel_probability: float = 0.0  # share of mixtures, and of enrollments, from random microphones
    room_dir: Path | None = None  # folder of room impulse responses, one drawn for each source
    room_probability: float = 0.5  # share of mixtures, and of enrollments, in rooms, if there are responses
    same_room: bool = False  # speakers of a mixture stand in one room, and enrollments come from other rooms
    noise_dir: Path | None = None  # folder of noise recordings
    noise_probability: float = 0.5  # share of mixtures, and of enrollments, with noise, if there are recordings
    noise_snr_db: tuple[float, float] = (5.0, 25.0)  # speech over noise, drawn from this range
    speaker_epochs: int = 0  # first epochs, which learn from enrollments alone who speaks, at a tenth of the cost
    cache_mib: int = 2048  # MiB of samples that each data process keeps in memory

    def __post_init__(self) -> None:
        for name in ("absent", "single", "third", "partial", "channel", "room", "noise"):
            name = f"{name}_probability"
            check_probability(f"draw.{name}", getattr(self, name))
        self.mixing(8000)
        if not 0 <= self.num_targets <= self.num_speakers:
            raise ConfigError(f"draw.num_targets: expected 0 to {self.num_speakers} speakers, got {self.num_targets}")
        lengths = self.enrollment_seconds
        if not 1 <= len(lengths) <= 2 or not 0 < lengths[0] <= lengths[-1] < float("inf"):
            raise ConfigError(f"draw.enrollment_seconds: expected a length above 0, or two, got {list(lengths)}")
        if not 0 < self.segment_seconds < float("inf"):
            raise ConfigError(f"draw.segment_seconds: expected a length above 0, got {self.segment_seconds}")
        for name, least in (("mixtures_per_utterance", 1), ("speaker_epochs", 0), ("cache_mib", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"draw.{name}: expected at least {least}, got {getattr(self, name)}")

    def mixing(self, fs: int, **given: Any) -> Mixing:
        """What trials at ``fs`` Hz are drawn by; ``given``: seed, rooms and noises."""
        shared = ("num_speakers", "snr_db", "noise_snr_db", "gain_db", "speeds", "same_room")
        shares = (f"{name}_probability" for name in ("third", "partial", "channel", "room", "noise"))
        seconds = self.enrollment_seconds
        return Mixing(
            **{name: getattr(self, name) for name in (*shared, *shares)},
            fs=fs,
            num_samples=round(self.segment_seconds * fs),
            enrollment_num_samples=(round(seconds[0] * fs), round(seconds[-1] * fs)),
            join=self.join_utterances,
            join_enrollments=self.join_utterances,
            treat_enrollments=True,
            **given,
        )


class DrawnTrials:
    """Trials that follow from (seed, epoch, index) alone, so that any of them can be made again.

    Args:
        config: how they are drawn; ``source_data`` is set.
        fs: rate of the utterances in Hz; noises and rooms may have any.
        seed: of the draws.

    Attributes:
        clues: embedding of each utterance, if the network takes such clues: a row gets the mean of its enrollment's.
        speakers: the classes, in the order of their numbers: voices, or voices at each speed.
        dropped: why an utterance is left out.

    Raises:
        DataDirError: if fewer speakers than a mixture has (and one for absent ones) have two utterances.
    """

    def __init__(self, config: DrawConfig, fs: int, *, seed: int = 0):
        self._config, self._seed = config, seed
        self.clues: EmbeddingTable | None = None
        self._waveforms = Waveforms(config.source_data, fs, cache_bytes=config.cache_mib << 20)
        lengths = self._waveforms.utt2num_samples()
        self.dropped = _unfit(self._waveforms.utt2spk, lengths, int(config.min_utt_s * fs))
        self._pool = Pool({u: s for u, s in self._waveforms.utt2spk.items() if u not in self.dropped}, lengths)
        needed = config.num_speakers + bool(config.third_probability) + bool(config.absent_probability)
        if len(self._pool.speakers) < needed:
            raise DataDirError(
                f"{config.source_data}: expected {needed} or more speakers with two utterances each, found"
                f" {len(self._pool.speakers)}" + (f" (left out: {self.account()})" if self.dropped else "")
            )
        self._rooms, self._noises = Recordings(config.room_dir, fs), Recordings(config.noise_dir, fs)
        self._mixing = config.mixing(fs, seed=seed, rooms=tuple(self._rooms), noises=self._noises.num_samples)
        speeds = sorted(set(config.speeds)) if config.speed_as_speaker else [1.0]
        self.speakers = sorted(self._voice(spk, speed) for spk in self._pool.speakers for speed in speeds)
        self._number = {name: number for number, name in enumerate(self.speakers)}

    def __len__(self) -> int:
        return len(self._pool.utterances) * self._config.mixtures_per_utterance

    def name(self, index: int) -> str:
        """The utterance that the mixture begins with."""
        return self._pool.utterances[index // self._config.mixtures_per_utterance]

    def get(self, epoch: int, index: int) -> list[TrialRow]:
        """The rows of an item, which share its mixture: one for each speaker asked for."""
        trials, rendered, enrollments = self.render(epoch, index)
        return [
            TrialRow(
                trial.id,
                rendered.mixture,
                np.zeros_like(rendered.mixture) if trial.role is None else rendered.sources[trial.role - 1],
                enrollment,
                self._number[self._voice(trial.spk, trial.enrollment.passage.speed)],
                present=trial.condition != "absent",
                alone=trial.condition == "single",
                speaker_only=epoch < self._config.speaker_epochs,
                sources=rendered.sources,
                clue_embedding=self.clues and self.clues.mean(trial.enrollment.passage.utterances),
            )
            for trial, enrollment in zip(trials, enrollments, strict=True)
        ]

    def render(self, epoch: int, index: int) -> tuple[list[Trial], Rendered, list[np.ndarray]]:
        """The trials of an item, their mixture, and the enrollment of each.

        Raises:
            DataDirError: if thirty draws in a row have silence where speech is needed.
        """
        around = {"rooms": self._rooms, "noises": self._noises}
        for attempt in range(ATTEMPTS):
            trials = self.draw(epoch, index, attempt)
            try:
                rendered = render(trials[0].mixture, self._waveforms.part, **around)
                speech = [render_enrollment(trial.enrollment, self._waveforms.part, **around) for trial in trials]
            except SilentSignalError as error:  # another draw of the same item, replayable like the first
                reason = error
                continue
            return trials, rendered, speech
        raise DataDirError(f"{self._config.source_data}: no audible mixture of '{self.name(index)}': {reason}")

    def draw(self, epoch: int, index: int, attempt: int = 0) -> list[Trial]:
        """The trials of an item, of one mixture, or of another try if all before it were silent."""
        config = self._config
        rng = rng_for(self._seed, "trial", epoch, index, attempt)
        target = self.name(index if attempt < FROM_TARGET else int(rng.integers(len(self))))
        single = rng.random() < config.single_probability
        roles = range(1, (config.num_targets or config.num_speakers) + 1)
        asked = [None if rng.random() < config.absent_probability else 1 if single else role for role in roles]
        mixture = draw_mixture(rng, target, self._pool, self._mixing, num_speakers=1 if single else None)
        return draw_trials(rng, mixture, asked, self._pool, self._mixing)

    collate = staticmethod(collate_rows)

    @property
    def utterances(self) -> Sequence[str]:
        """Those that are drawn from."""
        return self._pool.utterances

    def account(self) -> str:
        """How many utterances are left out and why: "3 shorter than 0.5 s, 1 the only one of its speaker"."""
        return ", ".join(f"{count} {reason}" for reason, count in Counter(self.dropped.values()).most_common())

    def _voice(self, spk: str, speed: float) -> str:
        return f"{spk}@{speed:g}" if self._config.speed_as_speaker and speed != 1.0 else spk


def _unfit(utt2spk: dict[str, str], lengths: dict[str, int], shortest: int) -> dict[str, str]:
    """Utterances that no trial can be drawn from, and why: too short, or without another one to enroll with."""
    dropped = {utt: "too short" for utt in utt2spk if utt not in lengths or lengths[utt] < max(shortest, 1)}
    left = Counter(spk for utt, spk in utt2spk.items() if utt not in dropped)
    return dropped | {u: "the only one of its speaker" for u, spk in utt2spk.items() if left[spk] == 1} | dropped
