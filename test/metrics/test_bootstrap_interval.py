"""Tests of bootstrap intervals."""

import numpy as np
import pytest

from zspex_toolkit.metrics.bootstrap_interval import bootstrap_interval


def test_the_interval_of_an_accuracy_is_that_of_the_binomial():
    # 900 of 1000 right: standard error sqrt(0.9 * 0.1 / 1000) = 0.00949, times 1.96 = 0.0186.
    low, high = bootstrap_interval(np.arange(1000) < 900, num_draws=4000)
    assert low == pytest.approx(0.9 - 0.0186, abs=0.002)
    assert high == pytest.approx(0.9 + 0.0186, abs=0.002)


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).random(50)
    assert (
        bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)
    )


def test_trials_of_one_speaker_are_drawn_together():
    # 20 speakers, 10 right in all of their 50 trials, 10 in none: as uncertain as 20 trials, not as 1000.
    speakers = np.repeat(np.arange(20), 50)
    low, high = bootstrap_interval(speakers < 10, groups=speakers, num_draws=4000)
    alone = bootstrap_interval(np.arange(20) < 10, num_draws=4000)
    assert (low, high) == pytest.approx(alone, abs=0.051)
    assert high - low > 5 * np.diff(bootstrap_interval(speakers < 10))[0]


def test_groups_of_unequal_size_keep_the_mean_over_trials():
    # Every resample holds both groups, one of them twice or each once; the mean over trials lies in [0, 1] by size.
    low, high = bootstrap_interval(np.array([1.0, 0, 0, 0]), groups=np.array(["a", "b", "b", "b"]))
    assert (low, high) == (0.0, 1.0)


def test_a_wider_share_gives_a_wider_interval():
    values = np.random.default_rng(0).random(100)
    inner, outer = bootstrap_interval(values, share=0.5), bootstrap_interval(values, share=0.99)
    assert outer[0] < inner[0] < values.mean() < inner[1] < outer[1]


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [([], None, "at least one trial"), ([1.0, 0.0], [1], "expected a group for each of 2 values")],
)
def test_missing_values_or_groups_are_refused(values, groups, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(np.array(values), groups=groups)
