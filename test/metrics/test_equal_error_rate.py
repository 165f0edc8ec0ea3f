"""Tests of the equal-error rate."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.metrics.equal_error_rate import equal_error_rate


def test_separated_scores_have_no_error():
    assert equal_error_rate(np.array([3.0, 2.0, 1.0, 0.0]), np.array([1, 1, 0, 0])) == 0.0


def test_reversed_scores_are_always_wrong():
    assert equal_error_rate(np.array([0.0, 1.0, 2.0, 3.0]), np.array([1, 1, 0, 0])) == 1.0


def test_equal_scores_are_a_coin():
    assert equal_error_rate(np.full(30, 0.5), np.arange(30) < 10) == pytest.approx(0.5)


def test_the_crossing_between_two_thresholds_by_hand():
    # Same-speaker scores 4, 3, 1; others 3, 2, 0, 0, 0. Going down: accept 4 -> (FA 0, FR 2/3), accept both 3s ->
    # (1/5, 1/3), accept 2 -> (2/5, 1/3). FA = FR between the last two: FR stays 1/3, so the rate is 1/3.
    scores = np.array([4.0, 3, 1, 3, 2, 0, 0, 0])
    assert equal_error_rate(scores, np.arange(8) < 3) == pytest.approx(1 / 3)
    # A tie that holds trials of both kinds is crossed on a straight line. Same 2, 1; others 1, 0: accept 2 -> (0, 1/2),
    # accept both 1s -> (1/2, 0): they meet at 1/4.
    assert equal_error_rate(np.array([2.0, 1, 1, 0]), np.array([1, 1, 0, 0])) == pytest.approx(1 / 4)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=60))
def test_it_agrees_with_a_walk_over_all_thresholds(trials):
    scores, same = np.array([score for score, _ in trials], float), np.array([label for _, label in trials])
    if same.all() or not same.any():
        return
    points = [(0.0, 1.0)]
    for threshold in sorted(set(scores), reverse=True):
        points.append((np.mean(scores[~same] >= threshold), np.mean(scores[same] < threshold)))
    for (fa, fr), (next_fa, next_fr) in pairwise(points):
        if next_fa >= next_fr:
            share = (fr - fa) / ((fr - fa) + (next_fa - next_fr))
            assert equal_error_rate(scores, same) == pytest.approx(fa + share * (next_fa - fa))
            return


def test_order_and_scale_of_the_scores_do_not_matter():
    rng = np.random.default_rng(0)
    same = rng.random(500) < 0.3
    scores = rng.standard_normal(500) + same
    order = rng.permutation(500)
    assert equal_error_rate(np.exp(scores), same) == pytest.approx(equal_error_rate(scores[order], same[order]))


@pytest.mark.parametrize(
    ("scores", "same", "message"),
    [
        ([0.1, 0.2], [1, 1], "expected trials of both kinds, got 2 same-speaker and 0 other trials"),
        ([0.1, 0.2], [1], r"expected a label for each score, got shapes \(2,\) and \(1,\)"),
        ([0.1, np.nan], [1, 0], "score of trial 1 is not a finite number"),
    ],
)
def test_bad_trials_are_refused(scores, same, message):
    with pytest.raises(ValueError, match=message):
        equal_error_rate(np.array(scores), np.array(same))
