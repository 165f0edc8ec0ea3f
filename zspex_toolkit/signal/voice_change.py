"""Another voice for the same words: formants and pitch are changed apart, times stay.

Praat does it: played at another rate, a recording has other formants and another pitch; then periods of the voice are
overlapped and added anew (TD-PSOLA), which gives it the pitch that is wanted and its old duration.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from scipy.signal import butter, sosfiltfilt

from zspex_toolkit.errors import UserError

PITCH_BAND_HZ = (60.0, 600.0)  # from the lowest voices of men to the highest of children


@dataclass(frozen=True)
class VoiceFactors:
    """What a voice is multiplied by."""

    formants: float  # all formants; above 1 for a shorter vocal tract
    pitch: float  # the median of the pitch
    pitch_range: float  # the distance of the pitch from its median


def require_praat() -> ModuleType:
    """The package parselmouth, which holds Praat; imported where it is used, as not everyone has it.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import parselmouth
    except ImportError as missing:
        raise UserError(
            "the package praat-parselmouth is not installed; pip install 'zspex_toolkit[voices]'"
        ) from missing
    return parselmouth


def voiced_pitch(samples: np.ndarray, fs: int, *, band_hz: tuple[float, float] = PITCH_BAND_HZ) -> np.ndarray:
    """Pitch of the voiced frames of a recording, which come every 10 ms, by autocorrelation.

    Args:
        samples: (T,), of any length.
        fs: rate in Hz.
        band_hz: lowest and highest pitch to look for.

    Returns:
        (L,) in Hz; empty for silence and noise.

    Raises:
        UserError: if the package praat-parselmouth is not installed.

    Reference: Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of
        a sampled sound", IFA Proceedings 17, 1993.
    """
    hz = _pitch(_sound(samples, fs), band_hz).selected_array["frequency"]
    return hz[hz > 0]


def change_voice(
    samples: np.ndarray,
    fs: int,
    factors: VoiceFactors,
    *,
    seed: int,
    band_hz: tuple[float, float] = PITCH_BAND_HZ,
) -> np.ndarray:
    """The same words at the same times in another voice, as loud as before (by root mean square).

    A recording without voiced frames gets other formants alone.

    Args:
        samples: (T,), of any length.
        fs: rate in Hz.
        factors: of the new voice.
        seed: unvoiced sounds are cut into pieces of random lengths; 0 to 2**31 - 1.
        band_hz: lowest and highest pitch of the old voice; the closer, the fewer octaves are mistaken.

    Returns:
        float64 (T,) without offset; its peak can lie above that of ``samples``.

    Raises:
        UserError: if the package praat-parselmouth is not installed.

    Reference: Moulines and Charpentier, "Pitch-synchronous waveform processing techniques for text-to-speech synthesis
        using diphones", Speech Communication 9, 1990; Praat's "Change gender".
    """
    praat, sound = require_praat().praat, _sound(samples, fs)
    pitch = _pitch(sound, band_hz)
    median_hz = praat.call(pitch, "Get quantile", 0, 0, 0.5, "Hertz")  # NaN if no frame is voiced
    new_median_hz = 0 if np.isnan(median_hz) else factors.pitch * median_hz
    praat.run(f"random_initializeWithSeedUnsafelyButPredictably ({seed})")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There were no voiced segments found")
        changed = praat.call(
            [sound, pitch], "Change gender", factors.formants, new_median_hz, factors.pitch_range, 1
        ).values[0]
    changed = changed + _top_band(sound.values[0], fs, factors.formants)
    padding = _padding(fs)
    return _as_loud_as(samples, changed[padding : padding + len(samples)])


def _padding(fs: int) -> int:
    """Samples of silence put before and behind: Praat asks for three periods of the lowest pitch."""
    return int(np.ceil(3 * fs / PITCH_BAND_HZ[0]))


def _sound(samples: np.ndarray, fs: int):
    samples = np.asarray(samples, np.float64)
    return require_praat().Sound(np.pad(samples - samples.mean(), _padding(fs)), fs)


def _pitch(sound, band_hz: tuple[float, float]):
    floor_hz, ceiling_hz = band_hz
    return sound.to_pitch_ac(time_step=0.01, pitch_floor=floor_hz, pitch_ceiling=ceiling_hz)


def _top_band(samples: np.ndarray, fs: int, formants: float) -> np.ndarray:
    """What the recording has above the band that lower formants leave empty, so that no voice is told by its gap."""
    if formants >= 1:
        return np.zeros_like(samples)
    return sosfiltfilt(butter(8, formants, "highpass", output="sos"), samples)


def _as_loud_as(samples: np.ndarray, changed: np.ndarray) -> np.ndarray:
    changed, level = changed - changed.mean(), np.std(changed)
    return changed * (np.std(samples) / level) if level > 0 else changed
