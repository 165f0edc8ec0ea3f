"""A drawn trial: who sounds, who is asked for, and what the enrollments are taken from."""

import dataclasses

import numpy as np
import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.simulation.draw import Pool
from zspex_toolkit.simulation.drawn_trial import DrawnTrial, TrialSettings, draw_trial

SETTINGS = TrialSettings(
    num_samples=300,
    enrollment_num_samples=(100, 200),
    snr_db=(-5.0, 5.0),
    gain_db=(-3.0, 3.0),
    speeds=(0.9, 1.0, 1.1),
    join_utterances=True,
    absent_probability=0.0,
    single_probability=0.0,
    rooms=(),
    room_probability=0.5,
    noises={},
    noise_probability=0.5,
    noise_snr_db=(5.0, 20.0),
)
UTT2SPK = {f"{spk}-{number}": spk for spk in "abcd" for number in range(4)}
POOL = Pool(UTT2SPK, {utt: 80 + 10 * int(utt[-1]) for utt in UTT2SPK})


def drawn(count: int = 200, pool: Pool = POOL, **changes) -> list[DrawnTrial]:
    settings = dataclasses.replace(SETTINGS, **changes)
    return [
        draw_trial(np.random.default_rng(seed), pool.utterances[seed % len(pool.utterances)], pool, settings)
        for seed in range(count)
    ]


def used(passage) -> set[str]:
    return set(passage.utterances)


def test_it_follows_from_its_random_numbers():
    assert drawn(20) == drawn(20)


def test_two_speakers_sound_and_each_is_asked_for():
    for trial in drawn():
        first, second = trial.sources
        assert first.spk != second.spk
        assert [(e.role, e.passage.spk) for e in trial.enrollments] == [(0, first.spk), (1, second.spk)]


def test_an_enrollment_shares_no_utterance_with_its_speakers_source_and_has_its_speed():
    for trial in [*drawn(), *drawn(single_probability=1.0), *drawn(join_utterances=False)]:
        for enrollment in trial.enrollments:
            source = trial.sources[enrollment.role]
            assert not used(source) & used(enrollment.passage)
            assert source.spk == enrollment.passage.spk and source.speed == enrollment.passage.speed


def test_two_utterances_of_a_speaker_are_enough():
    pool = Pool({utt: spk for utt, spk in UTT2SPK.items() if utt[-1] in "01"}, POOL.utt2num_samples)
    for trial in drawn(50, pool):
        assert all(
            len(used(source)) == 1 == len(used(e.passage)) for source in trial.sources for e in trial.enrollments
        )


def test_mixtures_begin_with_the_utterance_they_are_drawn_for():
    assert [trial.sources[0].utterances[0] for trial in drawn(16)] == list(POOL.utterances)


def test_joined_passages_fill_the_whole_mixture():
    assert {source.num_samples for trial in drawn() for source in trial.sources} == {300}


def test_unjoined_ones_overlap_wherever_they_are():
    offsets = set()
    for trial in drawn(join_utterances=False):
        first, second = trial.sources
        overlap = min(s.offset + s.num_samples for s in trial.sources) - max(first.offset, second.offset)
        assert 2 * overlap >= min(first.num_samples, second.num_samples)
        assert all(s.offset >= 0 and s.offset + s.num_samples <= 300 for s in trial.sources)
        offsets.add(first.offset)
    assert len(offsets) > 50


def test_enrollments_have_lengths_of_the_range():
    lengths = [e.passage.num_samples for trial in drawn() for e in trial.enrollments]
    assert 100 <= min(lengths) < 110 and 190 < max(lengths) <= 200


def test_one_speaker_alone_is_asked_for_twice_with_two_enrollments():
    for trial in drawn(50, single_probability=1.0):
        assert len(trial.sources) == 1 and [e.role for e in trial.enrollments] == [0, 0]


def test_an_absent_speaker_is_neither_of_the_two():
    for trial in drawn(50, absent_probability=1.0):
        assert [e.role for e in trial.enrollments] == [None, None]
        assert not {e.passage.spk for e in trial.enrollments} & {source.spk for source in trial.sources}


def test_shares_are_those_asked_for():
    trials = drawn(2000, absent_probability=0.2, single_probability=0.1)
    absent = np.mean([e.role is None for trial in trials for e in trial.enrollments])
    single = np.mean([len(trial.sources) == 1 for trial in trials])
    assert absent == pytest.approx(0.2, abs=0.03) and single == pytest.approx(0.1, abs=0.03)


def test_absent_speakers_need_a_third_voice():
    pool = Pool({utt: spk for utt, spk in UTT2SPK.items() if spk in "ab"}, POOL.utt2num_samples)
    with pytest.raises(DataDirError, match="mixtures of 3 speakers need at least 3 speakers, found 2"):
        drawn(1, pool, absent_probability=1.0)


def test_rooms_and_noises_come_as_often_as_asked_for_on_mixtures_and_enrollments():
    trials = drawn(500, rooms=("hall",), room_probability=0.3, noises={"fan": 900}, noise_probability=0.6)
    rooms = np.mean([trial.sources[0].room == "hall" for trial in trials])
    assert rooms == pytest.approx(0.3, abs=0.06)
    assert all((trial.sources[0].room is None) == (trial.sources[1].room is None) for trial in trials)
    assert np.mean([trial.noise is not None for trial in trials]) == pytest.approx(0.6, abs=0.06)
    enrollments = [e for trial in trials for e in trial.enrollments]
    assert np.mean([e.passage.room == "hall" for e in enrollments]) == pytest.approx(0.3, abs=0.05)
    assert np.mean([e.noise is not None for e in enrollments]) == pytest.approx(0.6, abs=0.05)
