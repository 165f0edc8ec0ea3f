"""New extraction trials in every epoch: other partners, stretches, levels and enrollments, from clean waveforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zspex_toolkit.data.augment import check_probability
from zspex_toolkit.data.embeddings import EmbeddingTable
from zspex_toolkit.data.trial_rows import TrialRow, collate_rows
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Pool, check_range, check_settings
from zspex_toolkit.simulation.drawn_trial import DrawnTrial, TrialSettings, draw_trial
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.render_trial import RenderedTrial, render_trial
from zspex_toolkit.simulation.resampled_recordings import ResampledRecordings

ATTEMPTS = 30  # draws of an item until all of it sounds ...
FROM_TARGET = 10  # ... of which so many begin with its own utterance, which may be silence itself


@dataclass(frozen=True)
class DrawConfig:
    """Mixing on the fly: every utterance begins a mixture, both of whose speakers are targets in turn."""

    source_data: Path | None = None  # data directory of the clean utterances
    segment_seconds: float = 4.0  # length of a mixture
    enrollment_seconds: tuple[float, ...] = (4.0,)  # length of an enrollment: one value, or a range to draw from
    snr_db: tuple[float, ...] = (-5.0, 5.0)  # one speaker over the other: one value, or a range to draw from
    gain_db: tuple[float, ...] = (-5.0, 5.0)  # gain on a mixture, and on an enrollment: one value, or a range
    mixtures_per_utterance: int = 1  # mixtures that begin with an utterance in one epoch
    min_utt_s: float = 0.5  # shorter utterances are left out
    join_utterances: bool = True  # fill segments and enrollments with more utterances of the speaker if one is short
    speeds: tuple[float, ...] = (1.0,)  # factors, one drawn for each speaker of a mixture
    speed_as_speaker: bool = False  # a speaker at another speed counts as another speaker
    absent_probability: float = 0.0  # share of rows that ask for a speaker who is not in the mixture
    single_probability: float = 0.0  # share of mixtures of one speaker alone
    room_dir: Path | None = None  # folder of room impulse responses, one drawn for each source
    room_probability: float = 0.5  # share of mixtures, and of enrollments, in rooms, if there are responses
    noise_dir: Path | None = None  # folder of noise recordings
    noise_probability: float = 0.5  # share of mixtures, and of enrollments, with noise, if there are recordings
    noise_snr_db: tuple[float, float] = (5.0, 25.0)  # speech over noise, drawn from this range
    speaker_epochs: int = 0  # first epochs, which learn from enrollments alone who speaks, at a tenth of the cost
    cache_mib: int = 2048  # MiB of samples that each data process keeps in memory

    def __post_init__(self) -> None:
        check_settings(self.snr_db, 2, "min", self.speeds)
        for name in ("gain_db", "noise_snr_db"):
            check_range(f"draw.{name}", getattr(self, name))
        for name in ("absent_probability", "single_probability", "room_probability", "noise_probability"):
            check_probability(f"draw.{name}", getattr(self, name))
        lengths = self.enrollment_seconds
        if not 1 <= len(lengths) <= 2 or not 0 < lengths[0] <= lengths[-1] < float("inf"):
            raise ConfigError(f"draw.enrollment_seconds: expected a length above 0, or two, got {list(lengths)}")
        if not 0 < self.segment_seconds < float("inf"):
            raise ConfigError(f"draw.segment_seconds: expected a length above 0, got {self.segment_seconds}")
        for name, least in (("mixtures_per_utterance", 1), ("speaker_epochs", 0), ("cache_mib", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"draw.{name}: expected at least {least}, got {getattr(self, name)}")


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
        DataDirError: if fewer than two speakers (three for absent ones) have two utterances.
    """

    def __init__(self, config: DrawConfig, fs: int, *, seed: int = 0):
        self._config, self._fs, self._seed = config, fs, seed
        self.clues: EmbeddingTable | None = None
        self._waveforms = Waveforms(config.source_data, fs, cache_bytes=config.cache_mib << 20)
        lengths = self._waveforms.utt2num_samples()
        self.dropped = _unfit(self._waveforms.utt2spk, lengths, int(config.min_utt_s * fs))
        self._pool = Pool({u: s for u, s in self._waveforms.utt2spk.items() if u not in self.dropped}, lengths)
        needed = 3 if config.absent_probability else 2
        if len(self._pool.speakers) < needed:
            raise DataDirError(
                f"{config.source_data}: expected {needed} or more speakers with two utterances each, found"
                f" {len(self._pool.speakers)}" + (f" (left out: {self.account()})" if self.dropped else "")
            )
        self._rooms, self._noises = _recordings(config.room_dir, fs), _recordings(config.noise_dir, fs)
        speeds = sorted(set(config.speeds)) if config.speed_as_speaker else [1.0]
        self.speakers = sorted(self._voice(spk, speed) for spk in self._pool.speakers for speed in speeds)
        self._number = {name: number for number, name in enumerate(self.speakers)}

    def __len__(self) -> int:
        return len(self._pool.utterances) * self._config.mixtures_per_utterance

    def name(self, index: int) -> str:
        """The utterance that the mixture begins with."""
        return self._pool.utterances[index // self._config.mixtures_per_utterance]

    def get(self, epoch: int, index: int) -> list[TrialRow]:
        """The two rows of an item."""
        trial, rendered = self.render(epoch, index)
        mixture = "_".join(passage.pieces[0].utt for passage in trial.sources)
        silence = np.zeros_like(rendered.mixture)
        rows = []
        for enrollment, speech in zip(trial.enrollments, rendered.enrollments, strict=True):
            passage, role = enrollment.passage, enrollment.role
            target = silence if role is None else rendered.sources[role]
            speaker = self._number[self._voice(passage.spk, passage.speed)]
            present = role is not None
            alone = present and len(trial.sources) == 1
            name = f"{passage.spk}-{mixture}"
            row = TrialRow(name, rendered.mixture, target, speech, speaker, present, alone)
            clue = None if self.clues is None else self.clues.mean(passage.utterances)
            rows.append(row._replace(speaker_only=epoch < self._config.speaker_epochs, clue_embedding=clue))
        return rows

    def render(self, epoch: int, index: int) -> tuple[DrawnTrial, RenderedTrial]:
        """The plan of an item and its signals.

        Raises:
            DataDirError: if thirty draws in a row have silence where speech is needed.
        """
        for attempt in range(ATTEMPTS):
            trial = self.draw(epoch, index, attempt)
            try:
                return trial, render_trial(trial, self._waveforms.part, rooms=self._rooms, noises=self._noises)
            except SilentSignalError as error:  # another draw of the same item, replayable like the first
                reason = error
        raise DataDirError(f"{self._config.source_data}: no audible mixture of '{self.name(index)}': {reason}")

    def draw(self, epoch: int, index: int, attempt: int = 0) -> DrawnTrial:
        """The plan of an item, or of another try if all before it were silent."""
        rng = rng_for(self._seed, "trial", epoch, index, attempt)
        target = self.name(index if attempt < FROM_TARGET else int(rng.integers(len(self))))
        return draw_trial(rng, target, self._pool, self._settings)

    @staticmethod
    def collate(items: list[list[TrialRow]]) -> dict[str, Any]:
        """Two rows of each item; see :func:`collate_rows`."""
        return collate_rows(items)

    @property
    def utterances(self) -> Sequence[str]:
        """Those that are drawn from."""
        return self._pool.utterances

    def account(self) -> str:
        """How many utterances are left out and why: "3 shorter than 0.5 s, 1 the only one of its speaker"."""
        return ", ".join(f"{count} {reason}" for reason, count in Counter(self.dropped.values()).most_common())

    def _voice(self, spk: str, speed: float) -> str:
        return f"{spk}@{speed:g}" if self._config.speed_as_speaker and speed != 1.0 else spk

    @cached_property
    def _settings(self) -> TrialSettings:
        config, fs = self._config, self._fs
        lengths = config.enrollment_seconds
        return TrialSettings(
            num_samples=round(config.segment_seconds * fs),
            enrollment_num_samples=(round(lengths[0] * fs), round(lengths[-1] * fs)),
            snr_db=config.snr_db,
            gain_db=config.gain_db,
            speeds=config.speeds,
            join_utterances=config.join_utterances,
            absent_probability=config.absent_probability,
            single_probability=config.single_probability,
            rooms=tuple(self._rooms),
            room_probability=config.room_probability,
            noises=self._noises.num_samples if self._noises else {},
            noise_probability=config.noise_probability,
            noise_snr_db=config.noise_snr_db,
        )


def _unfit(utt2spk: dict[str, str], lengths: dict[str, int], shortest: int) -> dict[str, str]:
    """Utterances that no trial can be drawn from, and why: too short, or without another one to enroll with."""
    dropped = {utt: "too short" for utt in utt2spk if utt not in lengths or lengths[utt] < max(shortest, 1)}
    left = Counter(spk for utt, spk in utt2spk.items() if utt not in dropped)
    return dropped | {u: "the only one of its speaker" for u, spk in utt2spk.items() if left[spk] == 1} | dropped


def _recordings(folder: Path | None, fs: int) -> Mapping[str, np.ndarray]:
    return {} if folder is None else ResampledRecordings(folder, fs)
