"""Passages fill the length asked for, piece by piece, from the utterances given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.passage import draw_passage, read_activity, read_passage
from zspex_toolkit.simulation.plan import Passage, Piece
from zspex_toolkit.simulation.pool import Pool

LENGTHS = {"a-1": 100, "a-2": 30, "a-3": 50}
POOL = Pool(dict.fromkeys(LENGTHS, "a"), LENGTHS)


def drawn(*utterances, num_samples, seed=0, **options) -> Passage:
    positions = [POOL.utterances.find(utt) for utt in utterances]
    return draw_passage(np.random.default_rng(seed), POOL, "a", positions, num_samples, **options)


def ramp(utt: str, start: int, stop: int | None) -> np.ndarray:
    """A signal that tells where each of its samples lay: 1000 * number of the utterance + place."""
    return (1000 * int(utt[-1]) + np.arange(LENGTHS[utt])).astype(np.float32)[start:stop]


def test_a_long_utterance_gives_a_random_stretch():
    starts = {drawn("a-1", num_samples=40, seed=seed).pieces[0].start for seed in range(50)}
    assert len(starts) > 20 and min(starts) >= 0 and max(starts) <= 60


def test_short_ones_follow_each_other_and_the_last_is_cut():
    passage = drawn("a-2", "a-3", "a-1", num_samples=100)
    assert [(piece.utt, piece.num_samples) for piece in passage.pieces] == [("a-2", 30), ("a-3", 50), ("a-1", 20)]
    assert passage.num_samples == 100


def test_they_come_over_again_when_there_are_no_more():
    passage = drawn("a-2", num_samples=70)
    assert [piece.utt for piece in passage.pieces] == ["a-2", "a-2", "a-2"] and passage.utterances == ["a-2"]


def test_or_the_passage_is_as_long_as_they_are():
    passage = drawn("a-2", "a-3", num_samples=100, repeat=False)
    assert (passage.utterances, passage.num_samples) == (["a-2", "a-3"], 80)


def test_all_of_an_utterance_can_be_asked_for():
    passage = drawn("a-3", "a-1", num_samples=None, speed=1.25)
    assert (passage.pieces, passage.num_samples) == ((Piece("a-3", 0, 50),), 40)


def test_without_joining_a_short_utterance_makes_a_short_passage():
    passage = drawn("a-2", "a-3", num_samples=100, join=False)
    assert (passage.utterances, passage.num_samples) == (["a-2"], 30)
    assert drawn("a-2", num_samples=100, join=False, speed=1.5).num_samples == 20


def test_the_samples_are_those_of_the_pieces():
    passage = Passage("a", (Piece("a-2", 3, 2), Piece("a-1", 7, 2)), 4)
    assert read_passage(passage, ramp).tolist() == [2003, 2004, 1007, 1008]


def test_a_passage_may_begin_within_whole_utterances():
    passage = Passage("a", (Piece("a-2"), Piece("a-3")), 4, start=28)
    assert read_passage(passage, ramp).tolist() == [2028, 2029, 3000, 3001]


def test_what_is_voiced_follows_pieces_start_and_speed():
    # Samples 0..3 of a-2 and 4..7 of a-1, from the second on and twice as fast: samples 2 of a-2 and 4 and 6 of a-1.
    passage = Passage("a", (Piece("a-2", 0, 4), Piece("a-1", 4, 4)), 3, start=1, speed=2.0)
    heard = {("a-2", 2): True, ("a-1", 6): True}
    voiced = read_activity(passage, lambda utt, start, stop: np.array([(utt, n) in heard for n in range(start, stop)]))
    assert voiced.tolist() == [True, False, True]


def test_an_utterance_that_is_shorter_than_planned_is_named():
    with pytest.raises(ValueError, match=r"utterance a-2, a-3: the plan needs 90 samples, found 40; plan again if"):
        read_passage(Passage("a", (Piece("a-2", 20, 40), Piece("a-3", 20, 50)), 90), ramp)


@given(
    st.integers(1, 300), st.sampled_from([0.8, 0.9, 1.0, 1.1, 1.25]), st.booleans(), st.sampled_from(sorted(LENGTHS))
)
def test_it_has_the_length_it_says_at_every_speed(num_samples, speed, join, first):
    passage = drawn(first, "a-3", num_samples=num_samples, speed=speed, join=join)
    samples = read_passage(passage, lambda utt, start, stop: np.ones(stop - start, dtype=np.float32))
    assert len(samples) == passage.num_samples <= num_samples
    assert not join or passage.num_samples == num_samples
    assert all(piece.start + piece.num_samples <= LENGTHS[piece.utt] for piece in passage.pieces)


@pytest.mark.parametrize(("num_samples", "ramp"), [(6, [0.25, 0.5, 0.75]), (4, [1 / 3, 2 / 3])])
def test_a_stretch_comes_and_goes_within_its_fade_or_half_of_itself(num_samples, ramp):
    passage = Passage("a", (Piece("a-1", 0, 50),), num_samples, start=9, fade=3)
    samples = read_passage(passage, lambda utt, start, stop: np.ones(stop - start, np.float32))
    assert samples.tolist() == pytest.approx([*ramp, *ramp[::-1]])


def test_a_stretch_that_is_a_pause_of_its_utterance_is_named():
    speech = np.r_[np.full(50, 0.01), np.full(50, 0.5)].astype(np.float32)
    pause, word = (Passage("a", (Piece("a-1", 0, 100),), 40, start=start, fade=2) for start in (5, 55))
    assert read_passage(word, lambda utt, start, stop: speech[start:stop])[20] == 0.5
    with pytest.raises(SilentSignalError, match=r"stretch is a pause \(a-1\)"):
        read_passage(pause, lambda utt, start, stop: speech[start:stop])
