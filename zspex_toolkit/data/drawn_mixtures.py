"""New mixtures in every epoch: other partners, other stretches, other levels, straight from clean waveforms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zspex_toolkit.data.augment import check_probability, read_recordings
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig
from zspex_toolkit.simulation.draw import Pool, check_range, check_settings, draw_mixture
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.mixture_plan import MixturePlan
from zspex_toolkit.simulation.render import render


@dataclass(frozen=True)
class DrawConfig:
    """Mixing on the fly; without ``source_data`` the stored mixtures are trained on."""

    source_data: Path | None = None  # data directory of the clean utterances
    snr_db: tuple[float, ...] = (-5.0, 5.0)  # target over interferer: one value, or the ends of a range to draw from
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
        check_settings(self.snr_db, 2, self.mode, self.speeds)
        check_range("curriculum_snr_db", self.curriculum_snr_db)
        check_range("noise_snr_db", self.noise_snr_db)
        for name in ("room_probability", "noise_probability"):
            check_probability(name, getattr(self, name))
        for name, least in (("curriculum_epochs", 0), ("mixtures_per_utterance", 1), ("max_seconds", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"draw.{name}: expected at least {least}, got {getattr(self, name)}")


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
        self._rooms = read_recordings(config.room_dir, waveforms.fs)
        self._noises = read_recordings(config.noise_dir, waveforms.fs)

    def __len__(self) -> int:
        return len(self._waveforms.utterances) * self._config.mixtures_per_utterance

    def name(self, index: int) -> str:
        """The target utterance."""
        return self._waveforms.utterances[index // self._config.mixtures_per_utterance]

    def draw(self, epoch: int, index: int) -> tuple[str, Tensor, str, str]:
        """Id, features (L, F), speaker of the target and of the interferer."""
        plan, samples = self.mixture(epoch, index)
        feats, _ = self._front_end(torch.from_numpy(samples)[None])
        target, interferer = plan.sources
        return plan.id, feats[0], target.spk, interferer.spk

    def mixture(self, epoch: int, index: int) -> tuple[MixturePlan, np.ndarray]:
        """The plan of an item and its samples, float32 (T,).

        Raises:
            DataDirError: if ten draws in a row have a source that is silent where it counts.
        """
        for attempt in range(10):
            rng = rng_for(self._seed, "mixture", epoch, index, attempt)
            plan = self._plan(rng, self.name(index), self._snr_db(epoch))
            sources = [self._waveforms[source.utt] for source in plan.sources]
            noise = self._noises[plan.noise.id] if plan.noise else None
            try:
                rendered = render(plan, sources, rooms=self._rooms, noise=noise)
            except (
                SilentSignalError
            ) as error:  # a silent stretch: another draw of the same item, replayable like the first
                reason = error
                continue
            return rendered.plan, rendered.mixture
        raise DataDirError(f"{self._waveforms.data.path}: no audible mixture of '{self.name(index)}': {reason}")

    def _snr_db(self, epoch: int) -> tuple[float, float]:
        """The range of an epoch: a straight line from easy mixtures to those asked for."""
        config = self._config
        low, high = config.snr_db[0], config.snr_db[-1]
        share = max(0.0, 1 - epoch / config.curriculum_epochs) if config.curriculum_epochs else 0.0
        easy_low, easy_high = config.curriculum_snr_db
        return low + share * (easy_low - low), high + share * (easy_high - high)

    def _plan(self, rng: np.random.Generator, target: str, snr_db: tuple[float, float]) -> MixturePlan:
        config = self._config
        has_room = bool(self._rooms) and rng.random() < config.room_probability
        has_noise = bool(self._noises) and rng.random() < config.noise_probability
        return draw_mixture(
            rng,
            target,
            self._pool,
            snr_db=snr_db,
            fs=self._waveforms.fs,
            seed=self._seed,
            mode=config.mode,
            max_num_samples=int(config.max_seconds * self._waveforms.fs) or None,
            speeds=config.speeds,
            rooms=tuple(self._rooms) if has_room else (),
            noises={name: len(noise) for name, noise in self._noises.items()} if has_noise else None,
            noise_snr_db=config.noise_snr_db,
        )
