"""Where a clean signal sounds, by the level of its frames."""

from __future__ import annotations

import numpy as np


def active_frames(samples: np.ndarray, fs: int) -> np.ndarray:
    """Frames of 20 ms whose energy is less than 40 dB below that of the loudest: the rule of STOI.

    They follow each other without overlap; the last may be shorter.

    Args:
        samples: (T,), clean speech; noise would count as sound.
        fs: rate in Hz.

    Returns:
        bool (L,), L = T over the frame's samples, rounded up; all False for silence.

    Reference: Taal et al., "An algorithm for intelligibility prediction of time-frequency weighted noisy speech",
        TASLP 19(7), 2011, Section II.

    >>> active_frames(np.array([1.0, -1.0, 0.02, 0.0, 0.005, 0.0, 0.0]), 100).tolist()    # 0, -37, -49 dB
    [True, True, False, False]
    """
    length = max(round(0.02 * fs), 1)
    samples = np.asarray(samples, dtype=np.float64)
    frames = np.pad(samples, (0, -len(samples) % length)).reshape(-1, length)
    energies = np.einsum("ij,ij->i", frames, frames)
    return energies > energies.max(initial=0.0) * 10**-4
