"""Mixtures as wsj0-2mix's own script makes them, as far as that can be had outside MATLAB.

``create_wav_2_speakers.m``: resample to 8 kHz; divide by the root of the active speech level; times 10^(snr/20), where
the list's two values are +-snr, so that the speakers differ by twice that; cut to the shorter one (``min``) or zeros to
the longer one (``max``); sum; one gain that brings the highest peak of mixture and sources to 0.9; round to 16 bits. At
16 kHz the levels are those measured at 8 kHz.

Readings: the original measures the level with VOICEBOX's ``activlev`` (ITU-T P.56). Where a table of such levels is
given they are used, else the mean power of the whole utterance, which its pauses lower. In place of MATLAB's
``resample`` stands scipy's ``resample_poly``: the same Kaiser window (beta 5), another design of the low-pass.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.librimix import SOURCE_FS
from zspex_toolkit.signal.level import gain_for_snr

LEVEL_FS = 8000
PEAK = 0.9


@dataclass(frozen=True)
class Wsj0Mixture:
    """Two utterances and how they are mixed; ``levels`` are their active powers at 8 kHz, None: the mean power."""

    id: str
    sources: tuple[str, str]  # recordings at 16 kHz: paths or commands
    snr_db: tuple[float, float]
    levels: tuple[float | None, float | None]
    fs: int  # Hz
    mode: str  # min or max


@dataclass(frozen=True)
class Wsj0Utterance:
    """An utterance by itself, resampled and otherwise as it is."""

    id: str
    source: str
    fs: int  # Hz


def to_recipe(item: Wsj0Mixture | Wsj0Utterance) -> str:
    """One line of JSON that :func:`signals_of` reads."""
    return json.dumps(dataclasses.asdict(item), ensure_ascii=False)


def signals_of(recipe: str) -> dict[str, np.ndarray]:
    """``mix``, ``s1`` and ``s2`` of a mixture, ``enrollment`` of an enrollment: int16 (T,) each."""
    fields = json.loads(recipe)
    if "source" in fields:
        return {"enrollment": _to_16_bits(_resampled(_read(fields["source"]), fields["fs"]))}
    return mix(Wsj0Mixture(**fields))


def mix(mixture: Wsj0Mixture) -> dict[str, np.ndarray]:
    """The signals of a mixture.

    Returns:
        ``mix``, ``s1`` and ``s2``, int16 (T,).

    Raises:
        AudioError: for audio that is missing, broken or not at 16 kHz.
    """
    scaled = []
    for source, snr_db, level in zip(mixture.sources, mixture.snr_db, mixture.levels, strict=True):
        samples = _read(source)
        power = level if level is not None else float(np.mean(_resampled(samples, LEVEL_FS) ** 2))
        scaled.append(_resampled(samples, mixture.fs) * gain_for_snr(1.0, power, -snr_db))
    length = {"min": min, "max": max}[mixture.mode](len(signal) for signal in scaled)
    one, two = (np.pad(signal[:length], (0, max(0, length - len(signal)))) for signal in scaled)
    signals = {"mix": one + two, "s1": one, "s2": two}
    gain = PEAK / max(np.abs(signal).max() for signal in signals.values())
    return {name: _to_16_bits(gain * signal) for name, signal in signals.items()}


def _read(source: str) -> np.ndarray:
    return read_audio(source, fs=SOURCE_FS)[0].astype(np.float64)


def _resampled(samples: np.ndarray, fs: int) -> np.ndarray:
    return resample_poly(samples, fs, SOURCE_FS)


def _to_16_bits(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(32768 * samples), -32768, 32767).astype(np.int16)
