"""Tests of where a clean signal sounds."""

import numpy as np

from zspex_toolkit.signal.speech_activity import active_frames


def test_frames_less_than_forty_decibels_below_the_loudest_sound():
    levels = 10.0 ** (-np.array([0, 39, 41, 60]) / 20)
    samples = np.repeat(levels, 160) * np.tile([1.0, -1.0], 320)
    assert active_frames(samples, 8000).tolist() == [True, True, False, False]
    assert active_frames(0.001 * samples, 8000).tolist() == [True, True, False, False]


def test_the_last_frame_may_be_short():
    assert active_frames(np.ones(321), 8000).tolist() == [True, True, True]


def test_silence_and_nothing_have_no_active_frame():
    assert not active_frames(np.zeros(1000), 8000).any()
    assert active_frames(np.zeros(0), 8000).tolist() == []
