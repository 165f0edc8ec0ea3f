"""Microphones: an equaliser and band limits, which act on each signal alone, and clipping and a codec on their sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zspex_toolkit.simulation.codec import CODECS, transcode

EQUALISER_HZ = (80.0, 200.0, 500.0, 1250.0, 3000.0, 7000.0)  # at or near which a drawn equaliser has its points
EQUALISER_DB = (4.0, 10.0)  # deviation of a point, and the most it is off
TELEPHONE_HZ = (300.0, 3400.0)
LOW_CUT_HZ, HIGH_CUT_HZ = (50.0, 300.0), (3000.0, 7900.0)
CLIP_DB = (1.0, 10.0)
TELEPHONES, LOW_CUTS, HIGH_CUTS, CLIPPED, CODED = 0.15, 0.7, 0.4, 0.2, 0.3  # shares of the microphones
TELEPHONE_CODECS = ("mu_law", "gsm")
WIDE_CODECS = {"adpcm": 0.3, "vorbis": 0.3, "mp3": 0.3, "opus": 0.1}  # the last costs six times as much
LOW_ORDER, HIGH_ORDER = 2, 20  # of the Butterworth magnitudes: 12 dB an octave below, 120 above
RESPONSE_S = 0.064  # length of the impulse response
FLOOR_DB = -100.0  # of the magnitude, whose logarithm is taken
CODED_PEAK = 0.7  # of what is coded, so that a codec's noise does not depend on the level


@dataclass(frozen=True)
class Channel:
    """A microphone, and the device behind it.

    Attributes:
        fs: rate in Hz of what it records.
        equaliser_hz, equaliser_db: points of a gain that is linear between them in dB over the logarithm of the
            frequency, and constant beyond.
        low_hz, high_hz: where it has lost 3 dB; None: no limit.
        clip_db: level at which it clips, in dB below the peak; None: never.
        codec: that its recordings went through (``codec.CODECS``), or None.
        compression: of the codec, if it has several (libsndfile's compression level).
    """

    fs: int
    equaliser_hz: tuple[float, ...] = ()
    equaliser_db: tuple[float, ...] = ()
    low_hz: float | None = None
    high_hz: float | None = None
    clip_db: float | None = None
    codec: str | None = None
    compression: float | None = None

    def __post_init__(self) -> None:
        for name in ("equaliser_hz", "equaliser_db"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # lists in JSON
        if len(self.equaliser_hz) != len(self.equaliser_db):
            raise ValueError(f"equaliser: {len(self.equaliser_hz)} frequencies, {len(self.equaliser_db)} gains")
        if self.codec is not None and self.codec not in CODECS:
            raise ValueError(f"codec {self.codec!r}: expected one of {', '.join(CODECS)}")

    @property
    def distorts(self) -> bool:
        """Whether it does more than filter."""
        return self.clip_db is not None or self.codec is not None


def draw_channel(rng: np.random.Generator, fs: int) -> Channel:
    """A random microphone of recordings at ``fs`` Hz: some are telephones, some clip, some code."""
    gains = np.clip(EQUALISER_DB[0] * rng.standard_normal(len(EQUALISER_HZ)), -EQUALISER_DB[1], EQUALISER_DB[1])
    points = np.asarray(EQUALISER_HZ) * 2 ** rng.uniform(-0.5, 0.5, len(EQUALISER_HZ))
    telephone, cut_low, cut_high, clipped, coded = rng.random(5) < (TELEPHONES, LOW_CUTS, HIGH_CUTS, CLIPPED, CODED)
    low = _between(rng, *np.log(LOW_CUT_HZ))
    high = _between(rng, HIGH_CUT_HZ[0], max(HIGH_CUT_HZ[0], min(HIGH_CUT_HZ[1], 0.49 * fs)))
    clip_db = _between(rng, *CLIP_DB)
    codec, depth = _draw_codec(rng, telephone), rng.random()
    bounds = CODECS[codec].compression
    if telephone:
        low_hz, high_hz = TELEPHONE_HZ
    else:
        low_hz, high_hz = float(np.exp(low)) if cut_low else None, high if cut_high else None
    return Channel(
        fs,
        tuple(round(float(point), 1) for point in points),
        tuple(round(float(gain), 2) for gain in gains - gains.mean()),
        None if low_hz is None else round(low_hz, 1),
        None if high_hz is None else round(high_hz, 1),
        round(clip_db, 2) if clipped else None,
        codec if coded else None,
        round(bounds[0] + depth * (bounds[1] - bounds[0]), 3) if coded and bounds else None,
    )


def colour(channel: Channel, signals: np.ndarray) -> np.ndarray:
    """What the microphone's filter makes of signals (..., T), each alone: float32 (..., T).

    The filter is of minimum phase, as those of microphones nearly are, so that nothing sounds before its cause.

    >>> colour(Channel(16000), np.array([0.5, -0.25])).tolist()
    [0.5, -0.25]
    """
    from scipy import fft  # here, since loading scipy takes long

    signals = np.asarray(signals, dtype=np.float32)
    if not (channel.equaliser_hz or channel.low_hz or channel.high_hz):
        return signals
    response, num_samples = impulse_response(channel), signals.shape[-1]
    size = fft.next_fast_len(num_samples + len(response) - 1, real=True)
    return fft.irfft(fft.rfft(signals, size) * fft.rfft(response, size), size)[..., :num_samples]


def distort(channel: Channel, samples: np.ndarray) -> np.ndarray:
    """What clipping and codec make of samples (T,): float32 (T,). Twice the samples give twice the result.

    >>> distort(Channel(8000, clip_db=20 * np.log10(2)), np.array([1.0, -0.75, 0.25, 0.0])).round(3).tolist()
    [0.5, -0.5, 0.25, 0.0]
    """
    samples = np.asarray(samples, dtype=np.float32)
    peak = float(np.abs(samples).max(initial=0.0))
    if not channel.distorts or not peak > 0:
        return samples
    distorted = samples * np.float32(CODED_PEAK / peak)
    if channel.clip_db is not None:
        limit = np.float32(CODED_PEAK * 10 ** (-channel.clip_db / 20))
        distorted = np.clip(distorted, -limit, limit)
    if channel.codec is not None:
        distorted = transcode(distorted, channel.fs, channel.codec, channel.compression)
    return distorted * np.float32(peak / CODED_PEAK)


@lru_cache(maxsize=8)
def impulse_response(channel: Channel) -> np.ndarray:
    """Of the microphone's filter, float32 (N,), of minimum phase.

    Reference: Oppenheim and Schafer, "Discrete-time signal processing", homomorphic filtering: the phase follows from
    the logarithm of the magnitude by way of the cepstrum.
    """
    num_samples = 1 << max(int(RESPONSE_S * channel.fs) - 1, 63).bit_length()
    size = 4 * num_samples  # the cepstrum is longer than the response
    frequencies = np.fft.rfftfreq(size, 1 / channel.fs)
    frequencies[0] = frequencies[1] / 2  # whose logarithm is taken
    gain_db = np.zeros_like(frequencies)
    if channel.equaliser_hz:
        gain_db += np.interp(np.log(frequencies), np.log(channel.equaliser_hz), channel.equaliser_db)
    if channel.low_hz:
        gain_db -= 10 * np.log10(1 + (channel.low_hz / frequencies) ** (2 * LOW_ORDER))
    if channel.high_hz:
        gain_db -= 10 * np.log10(1 + (frequencies / channel.high_hz) ** (2 * HIGH_ORDER))
    cepstrum = np.fft.irfft(np.maximum(gain_db, FLOOR_DB) * (np.log(10) / 20), size)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:num_samples].astype(np.float32)


def _draw_codec(rng: np.random.Generator, telephone: bool) -> str:
    names, shares = zip(*WIDE_CODECS.items(), strict=True)
    wide, narrow = rng.choice(len(names), p=shares), rng.integers(len(TELEPHONE_CODECS))
    return TELEPHONE_CODECS[int(narrow)] if telephone else names[int(wide)]


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))
