"""New mixtures in every epoch: other partners, other stretches, other levels, straight from clean waveforms."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig
from zspex_toolkit.simulation.draw import Mixing, check_range, draw_mixture
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.plan import Plan
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.recordings import Recordings
from zspex_toolkit.simulation.render import render

ATTEMPTS = 10  # draws of an item until all of it sounds


@dataclass(frozen=True)
class DrawConfig:
    """Mixing on the fly; without ``source_data`` the stored mixtures are trained on."""

    source_data: Path | None = None  # data directory of the clean utterances
    num_speakers: int = 2  # of a mixture; asked for and known are the first two, the others interfere
    snr_db: tuple[float, ...] = (-5.0, 5.0)  # target over interferers: one value, or the ends of a range to draw from
    curriculum_epochs: int = 0  # epochs over which snr_db is reached from curriculum_snr_db; 0: used from the start
    curriculum_snr_db: tuple[float, float] = (12.0, 18.0)  # range to start from: one speaker drowns the other
    mixtures_per_utterance: int = 1  # mixtures of each utterance in one epoch
    mode: str = "min"  # length: min (cut to the shorter), max or target
    max_seconds: float = 0.0  # longest mixture; 0: no limit
    speeds: tuple[float, ...] = (1.0,)  # factors, one drawn for each source
    room_dir: Path | None = None  # folder of room impulse responses, one drawn for each source
    room_probability: float = 0.5  # share of mixtures with rooms, if there are responses
    noise_dir: Path | None = None  # folder of noise recordings, one drawn for each mixture
    noise_probability: float = 0.5  # share of mixtures with noise, if there are recordings
    noise_snr_db: tuple[float, float] = (5.0, 25.0)  # speech over noise, drawn from this range

    def __post_init__(self) -> None:
        self.mixing()
        check_range("curriculum_snr_db", self.curriculum_snr_db)
        for name, least in (("curriculum_epochs", 0), ("mixtures_per_utterance", 1), ("max_seconds", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"draw.{name}: expected at least {least}, got {getattr(self, name)}")

    def mixing(self, **given: Any) -> Mixing:
        """What mixtures are drawn by; ``given``: rate, rooms and noises."""
        shared = ("num_speakers", "snr_db", "mode", "speeds", "room_probability", "noise_probability", "noise_snr_db")
        return Mixing(**{name: getattr(self, name) for name in shared}, **given)


class DrawnMixtures:
    """Mixtures that follow from (seed, epoch, index) alone, so that any of them can be made again.

    Args:
        waveforms: clean utterances; each is the target once per epoch (times ``mixtures_per_utterance``).
        front_end: what turns a mixture into features.
        config: how they are mixed.
        seed: of the draws.
    """

    def __init__(self, waveforms: Waveforms, front_end: FrontEndConfig, config: DrawConfig, *, seed: int = 0):
        self._waveforms = waveforms
        self._front_end = FrontEnd(front_end)
        self._config = config
        self._seed = seed
        self._pool = Pool(waveforms.utt2spk, waveforms.utt2num_samples())
        self._rooms = Recordings(config.room_dir, waveforms.fs)
        self._noises = Recordings(config.noise_dir, waveforms.fs)
        self._mixing = config.mixing(
            fs=waveforms.fs,
            seed=seed,
            max_num_samples=int(config.max_seconds * waveforms.fs) or None,
            rooms=tuple(self._rooms),
            noises=self._noises.num_samples,
        )

    def __len__(self) -> int:
        return len(self._waveforms.utterances) * self._config.mixtures_per_utterance

    def name(self, index: int) -> str:
        """The target utterance."""
        return self._waveforms.utterances[index // self._config.mixtures_per_utterance]

    def draw(self, epoch: int, index: int) -> tuple[str, Tensor, str, str]:
        """Id, features (L, F), speaker of the target and of the first interferer."""
        plan, samples = self.mixture(epoch, index)
        feats, _ = self._front_end(torch.from_numpy(samples)[None])
        target, interferer = plan.sources[:2]
        return plan.id, feats[0], target.spk, interferer.spk

    def mixture(self, epoch: int, index: int) -> tuple[Plan, np.ndarray]:
        """The plan of an item and its samples, float32 (T,).

        Raises:
            DataDirError: if ten draws in a row have a source that is silent where it counts.
        """
        for attempt in range(ATTEMPTS):
            plan = self.plan(epoch, index, attempt)
            try:
                rendered = render(plan, self._waveforms.part, rooms=self._rooms, noises=self._noises)
            except SilentSignalError as error:  # another draw of the same item, replayable like the first
                reason = error
                continue
            return rendered.plan, rendered.mixture
        raise DataDirError(f"{self._waveforms.data.path}: no audible mixture of '{self.name(index)}': {reason}")

    def plan(self, epoch: int, index: int, attempt: int = 0) -> Plan:
        """What an item is, without gains, or another try if all before it were silent."""
        rng = rng_for(self._seed, "mixture", epoch, index, attempt)
        mixing = dataclasses.replace(self._mixing, snr_db=self._snr_db(epoch))
        return draw_mixture(rng, self.name(index), self._pool, mixing)

    def _snr_db(self, epoch: int) -> tuple[float, float]:
        """The range of an epoch: a straight line from easy mixtures to those asked for."""
        config = self._config
        low, high = config.snr_db[0], config.snr_db[-1]
        share = max(0.0, 1 - epoch / config.curriculum_epochs) if config.curriculum_epochs else 0.0
        easy_low, easy_high = config.curriculum_snr_db
        return low + share * (easy_low - low), high + share * (easy_high - high)
