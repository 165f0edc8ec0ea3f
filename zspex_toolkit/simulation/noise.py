"""A stretch of a noise recording, repeated when it is too short."""

from __future__ import annotations

import numpy as np


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
