"""Segments have the length asked for, and no utterance is lost in batching."""

import torch

from zspex_toolkit.data.segments import batches_by_length, pad_batch, random_segment
from zspex_toolkit.randomness import rng_for


def test_a_short_utterance_is_repeated():
    feats = torch.arange(3.0)[:, None]
    segment = random_segment(feats, 7, rng_for(0, "a"))[:, 0].tolist()
    start = int(segment[0])
    assert segment == [(start + step) % 3 for step in range(7)]


def test_every_place_of_an_utterance_can_be_drawn():
    feats = torch.arange(5.0)[:, None]
    starts = {int(random_segment(feats, 3, rng_for(0, draw))[0, 0]) for draw in range(50)}
    assert starts == {0, 1, 2}


def test_zero_asks_for_the_whole_utterance():
    feats = torch.randn(9, 2)
    assert random_segment(feats, 0, rng_for(0, "a")) is feats


def test_a_batch_of_equal_lengths_needs_no_lengths():
    feats, num_frames = pad_batch([torch.ones(4, 2), torch.ones(4, 2)])
    assert feats.shape == (2, 4, 2) and num_frames is None


def test_a_shorter_utterance_is_padded_with_zeros():
    feats, num_frames = pad_batch([torch.ones(2, 1), torch.ones(1, 1)])
    assert feats[:, :, 0].tolist() == [[1, 1], [1, 0]] and num_frames.tolist() == [2, 1]


def test_batches_hold_every_utterance_once_within_the_limit():
    lengths = [5, 100, 7, 3, 60, 8]
    batches = batches_by_length(lengths, 24)
    assert sorted(index for batch in batches for index in batch) == list(range(6))
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 24 for batch in batches)
