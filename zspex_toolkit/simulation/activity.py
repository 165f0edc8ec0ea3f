"""From voiced frames to voiced samples, for levels measured over speech alone."""

from __future__ import annotations

import numpy as np


def active_samples(voiced: np.ndarray, num_samples: int, frame_shift: int) -> np.ndarray:
    """Bool (T,): each frame's decision (L,) holds for its ``frame_shift`` samples, the last one's to the end.

    Raises:
        ValueError: if there is no frame.

    >>> active_samples(np.array([0.0, 1.0]), 5, 2).astype(int).tolist()
    [0, 0, 1, 1, 1]
    """
    if not len(voiced):
        raise ValueError("no voice activity decisions")
    frames = np.minimum(np.arange(num_samples) // frame_shift, len(voiced) - 1)
    return np.asarray(voiced)[frames] > 0.5
