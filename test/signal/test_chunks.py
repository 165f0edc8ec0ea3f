"""A signal cut into chunks and blended again is the same signal, whatever its length and blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.signal.chunks import Chunks, blend_chunks, cut_chunks, plan_chunks


def blocks_of(signal, size):
    return [signal[start : start + size] for start in range(0, len(signal), size)]


@settings(max_examples=60, deadline=None)
@given(
    num_samples=st.integers(1, 400), longest=st.integers(20, 90), overlap=st.integers(0, 10), size=st.integers(1, 150)
)
def test_cutting_and_blending_gives_the_signal_back(num_samples, longest, overlap, size):
    signal = np.random.default_rng(num_samples).normal(size=(num_samples, 2)).astype(np.float32)
    chunks = plan_chunks(num_samples, longest, overlap)
    pieces = list(cut_chunks(blocks_of(signal, size), chunks))
    assert len(pieces) == len(chunks)
    for index, piece in enumerate(pieces):
        assert np.array_equal(piece, signal[index * chunks.hop :][: chunks.length])
    np.testing.assert_allclose(np.concatenate(list(blend_chunks(pieces, chunks))), signal, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(num_samples=st.integers(1, 100_000), overlap=st.integers(0, 300))
def test_chunks_are_as_few_and_as_equal_as_can_be(num_samples, overlap):
    longest = 1000
    chunks = plan_chunks(num_samples, longest, overlap)
    fewest = max(1, -(-(num_samples - overlap) // (longest - overlap)))
    last = num_samples - (len(chunks) - 1) * chunks.hop
    assert len(chunks) == fewest and chunks.length <= longest
    assert chunks.length - len(chunks) < last <= chunks.length


def test_a_signal_of_one_chunk_overlaps_with_nothing():
    assert plan_chunks(7, 10, 4) == Chunks(7, 7, 0)
    assert len(plan_chunks(7, 10, 4)) == 1


def test_chunks_that_differ_fade_without_a_step():
    chunks = plan_chunks(150, 100, 50)
    signal = np.concatenate(list(blend_chunks([np.ones((100, 1)), np.zeros((100, 1))], chunks)))[:, 0]
    fade = signal[50:100]
    assert len(signal) == 150 and signal[:50].min() == 1 and signal[100:].max() == 0
    assert np.all(np.diff(fade) < 0) and np.abs(np.diff(signal)).max() < 1.6 / chunks.overlap
    np.testing.assert_allclose(fade + fade[::-1], 1, atol=1e-6)


def test_a_signal_that_ends_early_says_where():
    with pytest.raises(ValueError, match="expected 30 samples, the signal ends after 12"):
        list(cut_chunks([np.zeros((12, 1))], plan_chunks(30, 20, 4)))


@pytest.mark.parametrize(("num_samples", "overlap"), [(0, 2), (30, 11), (30, -1)])
def test_what_cannot_be_cut_is_refused(num_samples, overlap):
    with pytest.raises(
        ValueError, match=f"expected samples and an overlap of 0 to 10, got {num_samples} and {overlap}"
    ):
        plan_chunks(num_samples, 20, overlap)
