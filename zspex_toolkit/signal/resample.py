"""Change of the sampling rate, by soxr (very high quality, linear phase)."""

import numpy as np
import soxr


def resample(samples: np.ndarray, fs_in: int, fs_out: int) -> np.ndarray:
    """Signal (T,) at ``fs_in`` Hz to ``fs_out`` Hz, float32; the same samples if the rates are equal.

    >>> resample(np.zeros(441), 44100, 16000).shape
    (160,)
    """
    for name, rate in (("fs_in", fs_in), ("fs_out", fs_out)):
        if rate <= 0:
            raise ValueError(f"{name}: expected a positive rate in Hz, got {rate}")
    samples = np.asarray(samples, dtype=np.float32)
    if fs_in == fs_out or not len(samples):
        return samples
    return soxr.resample(samples, fs_in, fs_out, quality="VHQ")
