"""Render a drawn training mixture with its targets and enrollments: no randomness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.simulation.drawn_trial import DrawnTrial
from zspex_toolkit.simulation.levels import PEAK, SilentSignalError
from zspex_toolkit.simulation.mixture_plan import Noise
from zspex_toolkit.simulation.noise import stretch
from zspex_toolkit.simulation.passage import Passage, read_passage
from zspex_toolkit.simulation.room import reverberate

SILENCE = 1e-8  # mean square (-80 dB re full scale) below which a signal has no level to set


@dataclass(frozen=True)
class RenderedTrial:
    """The signals of a :class:`DrawnTrial`; the mixture is the sum of ``sources`` and noise."""

    mixture: np.ndarray  # float32 (T,)
    sources: np.ndarray  # float32 (S, T)
    enrollments: tuple[np.ndarray, ...]  # float32 (U_i,)


def render_trial(
    trial: DrawnTrial,
    read: Callable[[str, int, int], np.ndarray],
    *,
    rooms: Mapping[str, np.ndarray],
    noises: Mapping[str, np.ndarray],
) -> RenderedTrial:
    """The samples of a drawn trial.

    The first source keeps its recorded level, the second is scaled to the ratio asked for, and then everything by the
    common gain; where that would clip, by as much as keeps it below full scale.

    Args:
        trial: what to render.
        read: gives samples ``start`` to ``stop`` of an utterance.
        rooms: impulse responses by their ids.
        noises: whole recordings by their ids.

    Raises:
        SilentSignalError: if a source is silent where both sound, or an enrollment is.
    """
    sources = np.zeros((len(trial.sources), trial.num_samples), dtype=np.float32)
    for row, passage in zip(sources, trial.sources, strict=True):
        row[passage.offset : passage.offset + passage.num_samples] = _speech(passage, read, rooms)
    _set_ratio(trial, sources)
    mixture = sources.sum(axis=0)
    if trial.noise is not None:
        mixture += _noise(trial.noise, mixture, noises)
    gain = _gain(trial.gain_db, mixture, *sources)
    enrollments = []
    for enrollment in trial.enrollments:
        speech = _speech(enrollment.passage, read, rooms)
        _level(speech, enrollment.passage)
        if enrollment.noise is not None:
            speech = speech + _noise(enrollment.noise, speech, noises)
        enrollments.append(speech * _gain(enrollment.gain_db, speech))
    return RenderedTrial(mixture * gain, sources * gain, tuple(enrollments))


def _speech(passage: Passage, read, rooms: Mapping[str, np.ndarray]) -> np.ndarray:
    samples = read_passage(passage, read)
    return samples if passage.room is None else reverberate(samples, rooms[passage.room])


def _level(samples: np.ndarray, passage: Passage) -> float:
    level = _mean_square(samples)
    if not level > SILENCE:
        raise SilentSignalError(f"silence in the stretch drawn of {', '.join(dict.fromkeys(passage.utterances))}")
    return level


def _set_ratio(trial: DrawnTrial, sources: np.ndarray) -> None:
    """Scale the second source in place to ``snr_db`` below the first, powers over the samples where both sound."""
    spans = [(passage.offset, passage.offset + passage.num_samples) for passage in trial.sources]
    both = slice(max(start for start, _ in spans), min(stop for _, stop in spans))
    levels = [_level(row[both], passage) for row, passage in zip(sources, trial.sources, strict=True)]
    if len(sources) == 2:
        sources[1] *= np.float32((levels[0] / levels[1]) ** 0.5 * 10 ** (-trial.snr_db / 20))


def _noise(noise: Noise, speech: np.ndarray, noises: Mapping[str, np.ndarray]) -> np.ndarray:
    hiss = stretch(noises[noise.id], noise.start, len(speech))
    level = _mean_square(hiss)
    if not level > 0:
        raise SilentSignalError(f"noise is silent in the stretch drawn ({noise.id})")
    return hiss * np.float32((_mean_square(speech) / level) ** 0.5 * 10 ** (-noise.snr_db / 20))


def _gain(gain_db: float, *signals: np.ndarray) -> np.float32:
    peak = max(float(np.abs(signal).max()) for signal in signals)
    return np.float32(min(10 ** (gain_db / 20), PEAK / peak))


def _mean_square(samples: np.ndarray) -> float:
    return float(samples @ samples) / max(len(samples), 1)
