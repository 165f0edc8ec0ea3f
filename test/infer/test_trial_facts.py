"""Tests of what the files of a trial say."""

import numpy as np
import pytest

from zspex_toolkit.infer.trial_facts import energy_left_db, overlap, snr_db

RNG = np.random.default_rng(0)
FS = 8000


def test_the_ratio_is_taken_where_both_sources_reach():
    # Padded to the longest: the target of power 4 sounds over the first half, the interferer of power 1 everywhere.
    target = np.concatenate([np.tile([2.0, -2.0], 500), np.zeros(1000)])
    assert snr_db(target, np.tile([1.0, -1.0], 1000)) == pytest.approx(10 * np.log10(4))
    # A pause within a source is part of it.
    interferer = np.concatenate([np.ones(500), np.zeros(500), np.ones(1000)])
    assert snr_db(target, interferer) == pytest.approx(10 * np.log10(4 / 0.5))


def test_sources_that_do_not_meet_are_compared_as_wholes():
    first, second = np.zeros(100), np.zeros(100)
    first[:40], second[40:] = 2.0, 1.0
    assert snr_db(first, second) == pytest.approx(10 * np.log10(4 * 40 / 60))


def test_silence_has_no_ratio_and_no_overlap():
    assert snr_db(np.zeros(10), np.ones(10)) is None
    assert snr_db(np.ones(10), np.zeros(10)) is None
    assert overlap(np.zeros(FS), np.ones(FS), FS) is None
    assert overlap(np.ones(FS), np.zeros(FS), FS) == 0.0


def test_half_of_the_target_is_overlapped():
    target, interferer = RNG.standard_normal(FS), RNG.standard_normal(FS)
    interferer[: FS // 2] = 0
    assert overlap(target, interferer, FS) == 0.5
    assert overlap(interferer, target, FS) == 1.0  # seen from the other


def test_pauses_of_the_target_do_not_count():
    target, interferer = RNG.standard_normal(FS), RNG.standard_normal(FS)
    target[: FS // 2] *= 0.001  # 60 dB below
    interferer[:6080] = 0  # 12 of the 25 frames that are left overlap
    assert overlap(target, interferer, FS) == 12 / 25


def test_energy_left_of_a_tenth_of_the_amplitude_is_minus_twenty_decibels():
    mixture = RNG.standard_normal(FS)
    assert energy_left_db(-0.1 * mixture, mixture) == pytest.approx(-20)
    assert energy_left_db(np.zeros(FS), mixture) == -100.0
    assert energy_left_db(1e-9 * mixture, mixture) == -100.0
    assert energy_left_db(np.zeros(FS), np.zeros(FS)) == 0.0
