"""Speed perturbation: play a signal faster or slower, which moves tempo and pitch together.

Reference: Ko et al., "Audio augmentation for speech recognition", Interspeech 2015.
"""

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

    A tone of f Hz becomes one of ``speed * f`` Hz.

    Raises:
        ValueError: if ``speed`` is not positive.
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
