import itertools
import math

import numpy as np
import pytest

from zspex_toolkit.recognise.ctc import align, greedy, prefix_beam_search


def scores(num_frames, num_tokens, seed=0, sharp=1.0):
    raw = sharp * np.random.default_rng(seed).normal(size=(num_frames, num_tokens))
    return raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))


def collapse(path):
    return tuple(token for token, _ in itertools.groupby(path) if token)


def all_paths(log_probs):
    paths = itertools.product(range(log_probs.shape[1]), repeat=len(log_probs))
    return [(path, sum(log_probs[i, token] for i, token in enumerate(path))) for path in paths]


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_the_probability_of_every_sequence(seed):
    log_probs = scores(5, 3, seed)
    exact = {}
    for path, log_prob in all_paths(log_probs):
        exact[collapse(path)] = exact.get(collapse(path), 0) + math.exp(log_prob)
    found = prefix_beam_search(log_probs, beam=10000, tokens_per_frame=3)
    for hypothesis in found:
        assert math.exp(hypothesis.log_prob) == pytest.approx(exact.get(hypothesis.tokens, 0), abs=1e-12)
    assert found[0].tokens == max(exact, key=exact.get)
    assert [h.log_prob for h in found] == sorted((h.log_prob for h in found), reverse=True)


def test_all_alignments_together_may_beat_the_best_path():
    log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])  # blank, blank: 0.36; token 1 in any way: 0.64
    assert greedy(log_probs).tokens == ()
    assert prefix_beam_search(log_probs)[0].tokens == (1,)
    assert math.exp(prefix_beam_search(log_probs)[0].log_prob) == pytest.approx(0.64)


def test_greedy_is_the_best_path():
    for seed in range(5):
        log_probs = scores(5, 3, seed)
        path, log_prob = max(all_paths(log_probs), key=lambda entry: entry[1])
        assert greedy(log_probs).tokens == collapse(path)
        assert greedy(log_probs).log_prob == pytest.approx(log_prob)


def test_no_frames_are_no_tokens():
    empty = np.zeros((0, 4))
    assert greedy(empty).tokens == () == prefix_beam_search(empty)[0].tokens


def test_a_small_beam_keeps_as_many():
    assert len(prefix_beam_search(scores(20, 10), beam=3)) == 3
    with pytest.raises(ValueError, match="a beam and tokens_per_frame of at least 1, got 0 and 20"):
        prefix_beam_search(scores(2, 3), beam=0)


@pytest.mark.parametrize("seed", range(5))
def test_an_alignment_is_the_best_of_all_paths_of_the_tokens(seed):
    log_probs = scores(6, 3, seed)
    for tokens in ((1,), (1, 2), (1, 1), (2, 1, 2)):
        path = max((entry for entry in all_paths(log_probs) if collapse(entry[0]) == tokens), key=lambda e: e[1])[0]
        runs = [
            (token, [i for i, _ in group]) for token, group in itertools.groupby(enumerate(path), key=lambda e: e[1])
        ]
        assert align(log_probs, tokens) == [(frames[0], frames[-1]) for token, frames in runs if token]


def test_too_few_frames_are_refused():
    with pytest.raises(ValueError, match="at least as many frames as the 2 tokens need, got 2"):
        align(scores(2, 3), [1, 1])
    assert align(scores(2, 3), []) == []


def test_tokens_without_a_single_frame_are_refused():
    assert align(np.zeros((0, 3)), []) == []
    with pytest.raises(ValueError, match="as the 1 tokens need, got 0"):
        align(np.zeros((0, 3)), [1])
