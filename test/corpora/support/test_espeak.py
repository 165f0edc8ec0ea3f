"""Voices of our making, spoken by espeak-ng in a process of its own."""

from dataclasses import replace

import numpy as np
import pytest

from zspex_toolkit.corpora.support import espeak as _espeak
from zspex_toolkit.corpora.support.espeak import ACCENTS, ESPEAK_FS, draw_voice, speak
from zspex_toolkit.errors import UserError
from zspex_toolkit.randomness import rng_for

SENTENCE = "the old sailor paints a small boat"


@pytest.fixture(scope="module")
def voices():
    return [draw_voice(rng_for(0, name), name, gender, ACCENTS[0]) for name, gender in (("one", "m"), ("two", "f"))]


def spoken(voices, jobs) -> list[bytes]:
    return [samples.tobytes() for samples in speak(voices, jobs)]


def test_a_sentence_sounds_the_same_whatever_was_said_before(voices):
    alone = spoken(voices, [("one", SENTENCE)])[0]
    assert spoken(voices, [("two", "good morning"), ("one", SENTENCE), ("one", SENTENCE)])[1:] == [alone, alone]


def test_voices_differ_from_each_other_and_from_the_base_voice(voices):
    base = replace(voices[0], name="base", rate=voices[0].rate, variant="language variant\nname base\n")
    three = spoken([*voices, base], [("one", SENTENCE), ("two", SENTENCE), ("base", SENTENCE)])
    assert len(set(three)) == 3


def test_every_accent_is_known_and_none_clips(voices):
    accented = [replace(voices[0], name=f"v{number}", accent=accent) for number, accent in enumerate(ACCENTS)]
    samples = list(speak(accented, [(voice.name, SENTENCE) for voice in accented]))
    assert all(1.0 < len(one) / ESPEAK_FS < 4.0 and 2000 < np.abs(one.astype(int)).max() < 32767 for one in samples)
    assert len({one.tobytes() for one in samples}) == len(ACCENTS)


def test_voices_beyond_those_of_one_process_sound_as_in_one(voices, monkeypatch):
    jobs = [(name, text) for name in ("one", "two", "one") for text in ("good morning", SENTENCE)]
    together = spoken(voices, jobs)
    monkeypatch.setattr(_espeak, "MOST_VOICES", 1)
    assert spoken(voices, jobs) == together


def test_no_more_voices_are_laid_out_than_are_asked_for(voices):
    crowd = [replace(voices[0], name=f"v{number}") for number in range(400)]  # more than espeak-ng has room for
    assert spoken([*crowd, *voices], [("two", SENTENCE)]) == spoken(voices, [("two", SENTENCE)])


@pytest.mark.timeout(30)
def test_a_failure_is_told_though_others_wait_to_be_spoken(voices):
    stranger = replace(voices[0], name="three", accent="gmw/martian")
    with pytest.raises(UserError, match=r"^espeak-ng did not speak 'hello' with voice three: no samples$"):
        list(speak([*voices, stranger], [("three", "hello"), *[("one", SENTENCE)] * 40]))
