"""What is done to a clean utterance before it is trained on: speed, room, noise, drawn anew in every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig
from zspex_toolkit.signal.level import gain_for_snr, power
from zspex_toolkit.simulation.draw import check_probability, check_range
from zspex_toolkit.simulation.perturb import change_speed, reverberate, stretch
from zspex_toolkit.simulation.recordings import Recordings


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation on the fly; by default none, and stored features are used as they are."""

    on_the_fly: bool = False  # compute features from waveforms in every epoch, which all below needs
    speeds: tuple[float, ...] = (1.0,)  # factors, one drawn for each utterance
    speeds_are_speakers: bool = False  # a speaker at another speed counts as another speaker
    noise_dir: Path | None = None  # folder of noise recordings (wav or flac)
    noise_probability: float = 0.5  # share of utterances with noise, if there are recordings
    noise_snr_db: tuple[float, float] = (5.0, 25.0)  # speech over noise, drawn from this range
    room_dir: Path | None = None  # folder of room impulse responses (wav or flac)
    room_probability: float = 0.5  # share of utterances with a room, if there are responses

    def __post_init__(self) -> None:
        if not self.speeds or not all(0.1 <= speed <= 10 for speed in self.speeds):
            raise ConfigError(f"augment.speeds: expected factors between 0.1 and 10, got {list(self.speeds)}")
        check_range("noise_snr_db", self.noise_snr_db)
        for name in ("room_probability", "noise_probability"):
            check_probability(name, getattr(self, name))
        asked = [name for name in ("noise_dir", "room_dir") if getattr(self, name)]
        if not self.on_the_fly and (asked or self.speeds != (1.0,)):
            raise ConfigError(
                f"augment.{(asked or ['speeds'])[0]}: needs augment.on_the_fly true; stored features are fixed"
            )


class AugmentedUtterances:
    """Features of utterances whose waveforms are perturbed anew each time.

    Args:
        waveforms: clean utterances.
        front_end: what turns a waveform into features.
        config: what is done to it.
    """

    def __init__(self, waveforms: Waveforms, front_end: FrontEndConfig, config: AugmentConfig):
        self.utterances = waveforms.utterances
        self.utt2spk = waveforms.utt2spk
        self._waveforms = waveforms
        self._front_end = FrontEnd(front_end)
        self._config = config
        self._noises = Recordings(config.noise_dir, waveforms.fs)
        self._rooms = Recordings(config.room_dir, waveforms.fs)

    def speakers(self) -> list[str]:
        """Every speaker that :meth:`draw` can name, sorted."""
        return sorted({self._name(spk, speed) for spk in self.utt2spk.values() for speed in self._config.speeds})

    def draw(self, utt: str, rng: np.random.Generator) -> tuple[Tensor, str]:
        """Features (L, F) of the perturbed utterance, and its speaker."""
        config = self._config
        speed = float(rng.choice(config.speeds))
        samples = change_speed(self._waveforms[utt], speed)
        if self._rooms and rng.random() < config.room_probability:
            samples = reverberate(samples, _one_of(self._rooms, rng))
        if self._noises and rng.random() < config.noise_probability:
            samples = self._with_noise(samples, rng)
        feats, _ = self._front_end(torch.from_numpy(samples)[None])
        return feats[0], self._name(self.utt2spk[utt], speed)

    def _with_noise(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        recording = _one_of(self._noises, rng)
        noise = stretch(recording, int(rng.integers(len(recording))), len(samples))
        if not np.any(noise) or not np.any(samples):  # no level to speak of
            return samples
        snr_db = float(rng.uniform(*self._config.noise_snr_db))
        return samples + np.float32(gain_for_snr(power(samples), power(noise), snr_db)) * noise

    def _name(self, spk: str, speed: float) -> str:
        return f"{spk}@{speed:g}" if self._config.speeds_are_speakers and speed != 1.0 else spk


def _one_of(recordings: Recordings, rng: np.random.Generator) -> np.ndarray:
    return recordings[list(recordings)[rng.integers(len(recordings))]]
