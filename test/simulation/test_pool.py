"""Tests of the utterances that mixtures are drawn from."""

from collections import Counter

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.pool import Pool

UTT2SPK = {f"{spk}-{number}": spk for spk in "abcd" for number in range(3)}
LENGTHS = {utt: 1000 + 97 * position for position, utt in enumerate(UTT2SPK)}
POOL = Pool(UTT2SPK, LENGTHS)


def test_speakers_and_utterances_are_drawn_evenly():
    counts = Counter(POOL.draw_interferers(rng_for(1, key), "a", 1)[0] for key in range(4500))
    assert set(counts) == {utt for utt in UTT2SPK if UTT2SPK[utt] != "a"}
    assert max(abs(count - 500) for count in counts.values()) < 5 * 500**0.5


def test_a_speaker_with_many_utterances_is_not_drawn_more_often():
    pool = Pool(UTT2SPK | {f"d-{n}": "d" for n in range(100)}, LENGTHS | {f"d-{n}": 900 for n in range(100)})
    drawn = Counter(pool.draw_interferers(rng_for(1, key), "a", 1)[0][0] for key in range(3000))
    assert abs(drawn["d"] - 1000) < 150


def test_another_speaker_is_none_of_those_taken():
    assert {POOL.draw_other(rng_for(0, key), ["c", "a"]) for key in range(50)} == {"b", "d"}
    with pytest.raises(DataDirError, match="expected more than 4 speakers, found 4"):
        POOL.draw_other(rng_for(0), ["a", "b", "c", "d"])


def test_the_other_utterances_of_a_speaker_come_in_any_order():
    used = POOL.utterances.find("b-1")
    orders = [POOL.others_in_random_order(rng_for(0, key), "b", [used]) for key in range(20)]
    assert {tuple(POOL.utterances[place] for place in order) for order in orders} == {("b-0", "b-2"), ("b-2", "b-0")}


def test_an_utterance_without_a_length_is_named():
    with pytest.raises(DataDirError, match=r"utterance b-0: no length in samples"):
        Pool({"a-0": "a", "b-0": "b"}, {"a-0": 5})
