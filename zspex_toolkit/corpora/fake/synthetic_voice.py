"""Speech-like audio for fake corpus trees: a glottal pulse train through moving formants, with bursts and pauses.

Speakers differ in pitch, vocal-tract length, timbre and rhythm, so a small network learns them; words do not exist.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from zspex_toolkit.randomness import rng_for

# First two formants of eight vowels of a neutral vocal tract, Hz (rounded from Peterson and Barney, 1952).
VOWELS = np.array(
    [[270, 2290], [390, 1990], [530, 1840], [660, 1720], [730, 1090], [570, 840], [440, 1020], [300, 870]]
)


def synthetic_speech(speaker: str, gender: str, utterance: str, *, seconds: float, fs: int, seed: int) -> np.ndarray:
    """One utterance of a made-up speaker: float32 (T,), peak about 0.4, with a faint noise floor.

    Args:
        speaker, seed: decide the voice; the same two give the same voice.
        gender: ``m`` or ``f``: low or high pitch, long or short vocal tract.
        utterance: decides what is "said"; no two names give the same samples.
    """
    voice = _draw_voice(rng_for(seed, "voice", speaker), gender)
    rng = rng_for(seed, "utterance", speaker, utterance)
    num_samples = int(seconds * fs)
    pieces, length = [], 0
    while length < num_samples:
        piece = _syllable(voice, rng, fs) if rng.random() > 0.12 else np.zeros(int(rng.uniform(0.05, 0.15) * fs))
        pieces.append(piece)
        length += len(piece)
    speech = np.concatenate(pieces)[:num_samples]
    speech = 0.4 * speech / max(np.abs(speech).max(), 1e-9)
    return (speech + 0.001 * rng.standard_normal(num_samples)).astype(np.float32)


def _draw_voice(rng: np.random.Generator, gender: str) -> dict:
    """Lower formants follow the vowel and the vocal tract; the higher ones are the speaker's own, whatever is said."""
    male = gender == "m"
    tract = rng.uniform(0.85, 1.02) if male else rng.uniform(1.06, 1.25)
    higher = tract * np.array([rng.uniform(2300, 3000), rng.uniform(3300, 4200), rng.uniform(4600, 6000)])
    return {
        "pitch": rng.uniform(85, 140) if male else rng.uniform(165, 250),
        "formants": np.hstack([VOWELS * tract * rng.uniform(0.92, 1.08, 2), np.tile(higher, (len(VOWELS), 1))]),
        "bandwidths": np.array([60, 90, 130, 200, 250]) * rng.uniform(0.6, 2.0, 5),
        "tilt": rng.uniform(0.7, 0.97),
        "breath": rng.uniform(0.005, 0.05),
        "syllable_s": rng.uniform(0.13, 0.24),
    }


def _syllable(voice: dict, rng: np.random.Generator, fs: int) -> np.ndarray:
    """A consonant burst and a vowel that glides a little in pitch and fades at both ends."""
    num_samples = int(voice["syllable_s"] * rng.uniform(0.7, 1.4) * fs)
    pitch = voice["pitch"] * rng.uniform(0.85, 1.2) * np.linspace(1, rng.uniform(0.85, 1.12), num_samples)
    phase = np.cumsum(pitch / fs)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    vowel = lfilter([1.0], [1.0, -voice["tilt"]], pulses + voice["breath"] * rng.standard_normal(num_samples))
    for frequency, bandwidth in zip(voice["formants"][rng.integers(len(VOWELS))], voice["bandwidths"], strict=True):
        radius = np.exp(-np.pi * bandwidth / fs)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * min(frequency, 0.48 * fs) / fs), radius**2]
        vowel = lfilter([sum(poles)], poles, vowel)
    fade = np.minimum(1.0, np.minimum(np.arange(num_samples), np.arange(num_samples)[::-1]) / (0.015 * fs))
    vowel = vowel * fade / max(np.abs(vowel).max(), 1e-9) * rng.uniform(0.6, 1.0)
    burst = np.diff(rng.standard_normal(int(rng.uniform(0.01, 0.06) * fs)), prepend=0.0)
    return np.concatenate([0.05 * rng.uniform(0.3, 1.5) * burst, vowel])
