"""Reverberation: convolve dry speech with the impulse response of a room."""

from __future__ import annotations

import numpy as np


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
