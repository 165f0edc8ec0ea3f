"""Tests of bootstrap intervals."""

import numpy as np
import pytest

from zspex_toolkit.metrics.bootstrap_interval import bootstrap_interval, bootstrap_intervals
from zspex_toolkit.randomness import rng_for


def test_the_interval_of_an_accuracy_is_that_of_the_binomial():
    # 900 of 1000 right: standard error sqrt(0.9 * 0.1 / 1000) = 0.00949, times 1.96 = 0.0186.
    low, high = bootstrap_interval(np.arange(1000) < 900)
    assert low == pytest.approx(0.9 - 0.0186, abs=0.002)
    assert high == pytest.approx(0.9 + 0.0186, abs=0.002)


def test_trials_of_one_speaker_are_drawn_together():
    # 20 speakers, 10 right in all of their 50 trials, 10 in none: as uncertain as 20 trials, not as 1000.
    speakers = np.repeat(np.arange(20), 50)
    low, high = bootstrap_interval(speakers < 10, groups=speakers)
    alone = bootstrap_interval(np.arange(20) < 10)
    assert (low, high) == pytest.approx(alone, abs=0.051)
    assert high - low > 5 * np.diff(bootstrap_interval(speakers < 10))[0]


def test_groups_of_unequal_size_keep_the_mean_over_trials():
    # Every resample holds both groups, one of them twice or each once; the mean over trials lies in [0, 1] by size.
    low, high = bootstrap_interval(np.array([1.0, 0, 0, 0]), groups=np.array(["a", "b", "b", "b"]))
    assert (low, high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [([], None, "at least one trial"), ([1.0, 0.0], [1], "expected a group for each of 2 values")],
)
def test_missing_values_or_groups_are_refused(values, groups, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(np.array(values), groups=groups)


def test_the_interval_is_that_of_drawing_one_resample_after_the_other():
    rng, values = np.random.default_rng(0), np.random.default_rng(1).random(30)
    draws = rng_for(0, "bootstrap")
    means = [values[draws.integers(30, size=30)].mean() for _ in range(1000)]
    expected = np.quantile(means, [0.025, 0.975])
    assert bootstrap_interval(values) == pytest.approx(tuple(expected))
    speakers = rng.integers(4, size=30)
    sums, sizes = np.bincount(speakers, weights=values), np.bincount(speakers)
    draws = rng_for(0, "bootstrap")
    drawn = [draws.integers(4, size=4) for _ in range(1000)]
    expected = np.quantile([sums[one].sum() / sizes[one].sum() for one in drawn], [0.025, 0.975])
    found = bootstrap_interval(values, groups=speakers)
    assert found == pytest.approx(tuple(expected))


def test_many_measures_at_once_have_the_intervals_of_each():
    values = np.random.default_rng(0).random((50, 3))
    values[:, 2] = np.nan
    intervals = bootstrap_intervals(values)
    for column in range(2):
        assert tuple(intervals[column]) == pytest.approx(bootstrap_interval(values[:, column]))
    assert np.isnan(intervals[2]).all()


def test_trials_that_lack_a_measure_do_not_count():
    # Of 200 trials every second has the measure: as uncertain as 100, standard error sqrt(0.25 / 100) = 0.05.
    values = np.full((200, 1), np.nan)
    values[::2, 0] = np.arange(100) % 2
    low, high = bootstrap_intervals(values)[0]
    assert (low, high) == pytest.approx((0.5 - 0.098, 0.5 + 0.098), abs=0.015)


def test_memory_is_bounded_and_does_not_change_the_interval(monkeypatch):
    values = np.random.default_rng(0).random(40)
    whole = bootstrap_interval(values)
    monkeypatch.setattr("zspex_toolkit.metrics.bootstrap_interval._DRAWN_AT_ONCE", 100)
    assert bootstrap_interval(values) == pytest.approx(whole)
