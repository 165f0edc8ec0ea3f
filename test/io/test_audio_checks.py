"""The two judgements on signals: silence, and the same speech twice."""

import numpy as np
import pytest

from zspex_toolkit.io.audio_checks import is_silent, same_utterance


def test_minus_eighty_decibels_is_the_border_of_silence():
    tone = np.sqrt(2) * np.sin(np.arange(16000) * 0.3)  # power 1
    assert is_silent(tone * 0.99e-4)
    assert not is_silent(tone * 1.01e-4)


def test_a_constant_is_silent_whatever_its_level():
    assert is_silent(np.full(1000, 0.5))


@pytest.mark.parametrize(("lag", "gain"), [(0, 1.0), (4000, 0.3), (-4000, -2.0)])
def test_the_same_speech_is_known_at_any_delay_and_gain(noise, lag, gain):
    speech = noise(24000)
    other = gain * (speech[lag:] if lag >= 0 else np.concatenate([np.zeros(-lag), speech]))
    assert same_utterance(speech, other, 16000)
    assert same_utterance(other, speech, 16000)


def test_a_part_of_the_utterance_is_known(noise):
    assert same_utterance(noise(24000), noise(24000)[10_000:14_000], 16000)


def test_other_speech_is_told_apart(noise):
    assert not same_utterance(noise(24000, seed=1), noise(24000, seed=2), 16000)
    tone = np.sin(np.arange(24000) * 0.05)
    assert not same_utterance(tone, noise(24000), 16000)


def test_silence_is_no_speech_to_be_known():
    assert not same_utterance(np.zeros(16000), np.zeros(16000), 16000)
