"""Tests of cosine similarity."""

import numpy as np
import pytest

from zspex_toolkit.metrics.cosine_similarity import cosine_similarity


def test_every_estimate_against_every_reference():
    estimates = np.array([[1.0, 0.0], [1.0, 1.0]])
    references = np.array([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    cosines = cosine_similarity(estimates[:, None], references[None])
    assert cosines == pytest.approx(np.array([[1, 0, -1], [0.5**0.5, 0.5**0.5, -(0.5**0.5)]]))


def test_the_lengths_of_the_embeddings_do_not_matter():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 5, 8))
    assert cosine_similarity(1e6 * first, 1e-6 * second) == pytest.approx(cosine_similarity(first, second))


def test_a_zero_embedding_is_like_nothing():
    assert cosine_similarity(np.zeros(3), np.ones(3)) == 0


def test_different_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"embeddings of one dimension, got shapes \(3,\) and \(4,\)"):
        cosine_similarity(np.ones(3), np.ones(4))
