"""Cosine of the angle between two embeddings."""

from __future__ import annotations

import numpy as np


def cosine_similarity(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Cosine similarity along the last axis, -1 to 1; 0 where one of the two is zero.

    Args:
        estimate: (..., D).
        reference: (..., D); the leading axes broadcast.

    Returns:
        (...), float64.

    Raises:
        ValueError: if D differs.

    >>> cosine_similarity(np.array([3.0, 4.0]), np.array([[8.0, 6.0], [-3.0, -4.0], [0.0, 0.0]])).round(6).tolist()
    [0.96, -1.0, 0.0]
    """
    estimate, reference = np.asarray(estimate, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if estimate.shape[-1:] != reference.shape[-1:]:
        raise ValueError(f"expected embeddings of one dimension, got shapes {estimate.shape} and {reference.shape}")
    # Not (estimate * reference).sum(): all estimates against all speakers would be (N, K, D) products in memory.
    return np.einsum("...d,...d->...", _unit(estimate), _unit(reference))


def _unit(embeddings: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(embeddings, axis=-1, keepdims=True)
    return np.divide(embeddings, lengths, out=np.zeros_like(embeddings), where=lengths > 0)
