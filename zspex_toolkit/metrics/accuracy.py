"""Share of trials answered rightly."""

from __future__ import annotations

import numpy as np

__all__ = ["accuracy"]


def accuracy(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Share of equal labels, 0 to 1.

    Args:
        estimate: (n,) labels.
        reference: (n,) labels.

    Raises:
        ValueError: if the lengths differ or there is none.

    >>> accuracy(np.array(["a", "b", "b", "c"]), np.array(["a", "b", "c", "c"]))
    0.75
    """
    estimate, reference = np.asarray(estimate), np.asarray(reference)
    if estimate.shape != reference.shape or estimate.size == 0:
        raise ValueError(
            f"expected as many estimates as references, at least one, got {estimate.shape}, {reference.shape}"
        )
    return float((estimate == reference).mean())
