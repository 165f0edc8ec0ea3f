"""Tests of the gains of a mixture."""

import dataclasses

import numpy as np
import pytest

from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.levels import PEAK, SilentSignalError, set_levels
from zspex_toolkit.simulation.plan import Noise, Passage, Piece, Plan


def mixture(*spans, num_samples, snr_db=0.0, noise=None):
    sources = tuple(
        Passage(f"s{n}", (Piece(f"u{n}", 0, length),), length, offset=offset)
        for n, (offset, length) in enumerate(spans)
    )
    return Plan("m", sources, snr_db, 16000, num_samples, 0, noise=noise)


def gains(plan):
    return [source.gain for source in plan.sources]


def test_the_interferer_is_scaled_over_the_samples_where_both_sound():
    # Target 4 samples, interferer in the last 2: target power there 0.04, interferer power 0.0001 -> gain 20, and
    # 10 dB below that is 20 / sqrt(10). The loud first half of the target does not count.
    plan = mixture((0, 4), (2, 2), num_samples=4, snr_db=10.0)
    leveled = set_levels(plan, [np.array([0.5, 0.5, 0.2, -0.2]), np.array([0, 0, 0.01, 0.01])])
    assert gains(leveled) == pytest.approx([1.0, 20 / 10**0.5])
    assert leveled.gain == 1.0


def test_two_interferers_get_equal_power_and_their_sum_the_asked_ratio():
    rng = np.random.default_rng(0)
    parts = [0.1 * rng.standard_normal(4000), 0.01 * rng.standard_normal(4000), 0.3 * rng.standard_normal(4000)]
    leveled = set_levels(mixture((0, 4000), (0, 4000), (0, 4000), num_samples=4000, snr_db=-3.0), parts)
    target, first, second = (gain * part for gain, part in zip(gains(leveled), parts, strict=True))
    assert power(first) == pytest.approx(power(second))
    assert 10 * np.log10(power(target) / power(first + second)) == pytest.approx(-3.0, abs=1e-4)


def test_one_gain_for_all_keeps_the_peak_below_full_scale():
    # Both peak at 0.8 together: 1.6 must become 0.99.
    leveled = set_levels(mixture((0, 2), (0, 2), num_samples=2), [np.array([0.8, -0.8]), np.array([0.8, -0.8])])
    assert gains(leveled) == pytest.approx([1.0, 1.0])
    assert leveled.gain == pytest.approx(PEAK / 1.6)


def test_a_source_louder_than_the_mixture_is_kept_from_clipping_too():
    leveled = set_levels(mixture((0, 2), (0, 2), num_samples=2, snr_db=0.0), [np.array([1.1, 1.1]), np.array([-1, -1])])
    assert leveled.gain == pytest.approx(PEAK / 1.1)


def test_the_gain_that_was_planned_stays_where_nothing_clips():
    quiet = dataclasses.replace(mixture((0, 2), (0, 2), num_samples=2), gain=0.25)
    parts = [np.array([0.8, -0.8]), np.array([0.8, -0.8])]
    assert set_levels(quiet, parts).gain == 0.25
    assert set_levels(dataclasses.replace(quiet, gain=4.0), parts).gain == pytest.approx(PEAK / 1.6)


def test_powers_can_be_taken_over_active_samples_alone():
    # Half of each is a pause. Over speech the powers are 0.01 and 0.04; over all they would be 0.005 and 0.04.
    parts = [np.array([0.1, 0.1, 0, 0]), np.array([0.2, 0.2, 0.2, 0.2])]
    active = [np.array([True, True, False, False]), np.ones(4, bool)]
    plan = mixture((0, 4), (0, 4), num_samples=4)
    assert gains(set_levels(plan, parts, active=active)) == pytest.approx([1, 0.5])
    assert gains(set_levels(plan, parts)) == pytest.approx([1, 0.125**0.5])


def test_gains_do_not_hang_on_the_order_of_summation():
    rng = np.random.default_rng(0)
    parts = 0.1 * rng.standard_normal((2, 5000))
    plan = mixture((0, 5000), (0, 5000), num_samples=5000, snr_db=1.0)
    shuffled = [set_levels(plan, list(parts[:, rng.permutation(5000)])) for _ in range(20)]
    assert len(set(shuffled)) == 1


def test_noise_lies_below_the_sum_of_the_sources():
    # Orthogonal sources of power 0.01 each: sum 0.02; noise 20 dB below: 0.0002 of power, gain sqrt(0.0002) on ones.
    plan = mixture((0, 4), (0, 4), num_samples=4, noise=Noise("n", 0, 20.0))
    parts = [np.array([0.1, 0.1, -0.1, -0.1]), np.array([0.1, -0.1, 0.1, -0.1])]
    assert set_levels(plan, parts, np.ones(4)).noise.gain == pytest.approx(0.0002**0.5)


def come_and_go(plan):
    return dataclasses.replace(plan, sources=tuple(dataclasses.replace(source, fade=0) for source in plan.sources))


def test_speakers_who_never_overlap_are_compared_over_where_each_sounds():
    # Powers 0.01 over two samples and 0.04 over one: 10 dB below 0.01 is 0.001, gain sqrt(0.001 / 0.04).
    plan = come_and_go(mixture((0, 2), (3, 1), num_samples=4, snr_db=10.0))
    leveled = set_levels(plan, [np.array([0.1, -0.1, 0, 0]), np.array([0, 0, 0, 0.2])])
    assert gains(leveled) == pytest.approx([1.0, 0.025**0.5])


def test_a_short_overlap_in_a_pause_does_not_set_the_level():
    # Where both sound the target is 40 dB softer than elsewhere; over all of it, its power is 0.01 as the other's.
    target, other = np.array([0.1414, 0.001, 0.0, 0.0]), np.array([0.0, 0.1, 0.1, 0.1])
    plan = mixture((0, 2), (1, 3), num_samples=4)
    assert gains(set_levels(come_and_go(plan), [target, other])) == pytest.approx([1.0, 1.0], abs=1e-3)
    assert gains(set_levels(plan, [target, other]))[1] == pytest.approx(0.01)


def test_a_stretch_of_silence_is_named():
    plan = come_and_go(mixture((0, 2), (3, 1), num_samples=4))
    with pytest.raises(SilentSignalError, match=r"target is silent \(u0\)"):
        set_levels(plan, [np.zeros(4), np.array([0, 0, 0, 0.2])])
    with pytest.raises(SilentSignalError, match=r"interferer is silent \(u1\)"):
        set_levels(plan, [np.array([0.1, 0.1, 0, 0]), np.zeros(4)])


@pytest.mark.parametrize(
    ("target", "interferer", "message"),
    [
        ([0.1, 0, 0, 0], [0, 0, 0.1, 0.1], r"target is silent where it overlaps with the interferers \(u0\)"),
        ([0.1, 0.1, 0.1, 0.1], [0, 0, 5e-5, 5e-5], r"interferer is silent where it overlaps with the target \(u1\)"),
    ],
)
def test_a_silent_signal_is_named(target, interferer, message):
    with pytest.raises(SilentSignalError, match=message):
        set_levels(mixture((0, 4), (2, 2), num_samples=4), [np.array(target), np.array(interferer)])
