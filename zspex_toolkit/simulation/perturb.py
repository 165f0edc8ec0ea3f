"""What is done to recorded speech: another speed, a room, and a stretch of noise to lie under it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import soxr


def num_samples_at_speed(num_samples: int, speed: float) -> int:
    """Length of a signal after :func:`change_speed`, at least 1.

    >>> num_samples_at_speed(16000, 1.25)
    12800
    """
    return num_samples if speed == 1 else max(1, round(num_samples / speed))


def change_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Play (T,) ``speed`` times as fast: float32, ``num_samples_at_speed(T, speed)`` samples at the same rate.

    Tempo and pitch move together: a tone of f Hz becomes one of ``speed * f`` Hz.

    Raises:
        ValueError: if ``speed`` is not positive.

    Reference: Ko et al., "Audio augmentation for speech recognition", Interspeech 2015.
    """
    if not speed > 0:
        raise ValueError(f"speed: expected a positive factor, got {speed}")
    samples = np.asarray(samples, dtype=np.float32)
    if speed == 1:
        return samples
    # soxr's length is off by a sample at times; the plan needs to know it before there is audio.
    length = num_samples_at_speed(len(samples), speed)
    ratio = Fraction(speed).limit_denominator(1000)
    faster = soxr.resample(samples, ratio.numerator, ratio.denominator, quality="HQ")[:length]
    return np.pad(faster, (0, length - len(faster)))


def reverberate(samples: np.ndarray, impulse_response: np.ndarray) -> np.ndarray:
    """Speech (T,) as heard through ``impulse_response`` (R,): float32 (T,), in time with the dry speech.

    The response is taken from its strongest sample on (the direct sound), so the speech is not delayed, and is scaled
    to unit energy, so white noise keeps its power. The tail beyond T is cut.

    Raises:
        ValueError: if the impulse response is silent.

    >>> reverberate(np.array([1.0, 0.0, 0.0, 2.0]), np.array([0.0, 0.8, 0.6])).round(3).tolist()
    [0.800000011920929, 0.6000000238418579, 0.0, 1.600000023841858]
    """
    from scipy.signal import fftconvolve  # here, since loading it takes as long as half of torch does

    impulse_response = np.asarray(impulse_response, dtype=np.float32)
    tail = impulse_response[int(np.argmax(np.abs(impulse_response))) :] if len(impulse_response) else impulse_response
    energy = float(tail @ tail)
    if not energy > 0:
        raise ValueError("impulse response is silent")
    tail = tail / np.float32(np.sqrt(energy))
    samples = np.asarray(samples, dtype=np.float32)
    return fftconvolve(samples, tail[: len(samples)])[: len(samples)].astype(np.float32, copy=False)


def stretch(noise: np.ndarray, start: int, num_samples: int) -> np.ndarray:
    """``num_samples`` samples of ``noise`` (N,) from ``start`` on, going round at its end.

    Raises:
        ValueError: if the recording is empty.

    >>> stretch(np.array([1.0, 2.0, 3.0]), 2, 5).tolist()
    [3.0, 1.0, 2.0, 3.0, 1.0]
    """
    if not len(noise):
        raise ValueError("noise recording is empty")
    start %= len(noise)
    repeats = -(-(start + num_samples) // len(noise))
    return np.tile(noise, repeats)[start : start + num_samples] if repeats > 1 else noise[start : start + num_samples]
