"""Tests of drawing mixtures, and trials that ask for their speakers."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Mixing, draw_mixture, draw_trials
from zspex_toolkit.simulation.plan import Trial
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.rooms import room_of

UTT2SPK = {f"{spk}-{number}": spk for spk in "abcd" for number in range(4)}
LENGTHS = {utt: 1000 + 97 * position for position, utt in enumerate(UTT2SPK)}
POOL = Pool(UTT2SPK, LENGTHS)
# As for training: mixtures of one length, filled with as many utterances as that takes.
JOINED = {"num_samples": 3500, "join": True, "enrollment_num_samples": (900, 1800), "treat_enrollments": True}


def draw(key, target="a-0", **options):
    mixing = Mixing(**{"snr_db": 0.0, "fs": 16000, **options})
    return draw_mixture(rng_for(1, key), target, POOL, mixing)


def trials(key, roles=(1, 2), target="a-0", pool=POOL, lone=False, **options) -> list[Trial]:
    rng, mixing = rng_for(1, key), Mixing(**{"snr_db": 0.0, "fs": 16000, **options})
    return draw_trials(
        rng, draw_mixture(rng, target, pool, mixing, num_speakers=1 if lone else None), roles, pool, mixing
    )


@given(st.integers(0, 1000), st.sampled_from(sorted(UTT2SPK)), st.integers(2, 4), st.booleans())
def test_the_speakers_of_a_mixture_all_differ(key, target, num_speakers, joined):
    plan = draw(key, target, **{"num_speakers": num_speakers, **(JOINED if joined else {})})
    assert plan.sources[0].utterances[0] == target
    assert len({source.spk for source in plan.sources}) == num_speakers
    assert all(UTT2SPK[utt] == source.spk for source in plan.sources for utt in source.utterances)


@given(st.integers(0, 1000), st.sampled_from(["min", "max", "target"]), st.sampled_from([2, 3, 4]), st.booleans())
def test_every_source_lies_in_its_utterance_and_in_the_mixture(key, mode, num_speakers, short):
    plan = draw(key, "b-1", mode=mode, num_speakers=num_speakers, max_num_samples=500 if short else None)
    pieces = [source.pieces[0] for source in plan.sources]
    lengths = [LENGTHS[piece.utt] for piece in pieces]
    wanted = {"min": min(lengths), "max": max(lengths), "target": lengths[0]}[mode]
    assert plan.num_samples == (min(wanted, 500) if short else wanted)
    target = plan.sources[0]
    for source, piece, length in zip(plan.sources, pieces, lengths, strict=True):
        assert piece.num_samples == source.num_samples and 0 <= piece.start <= length - source.num_samples
        assert 0 <= source.offset <= plan.num_samples - source.num_samples
        overlap = min(source.offset + source.num_samples, target.offset + target.num_samples) - max(
            source.offset, target.offset
        )
        assert 2 * overlap >= min(source.num_samples, target.num_samples)


@given(st.integers(0, 1000), st.sampled_from([0.9, 1.0, 1.1]), st.sampled_from([2, 3]))
def test_in_the_mode_min_every_source_reaches_over_all_of_the_mixture_at_any_speed(key, speed, num_speakers):
    plan = draw(key, mode="min", num_speakers=num_speakers, speeds=(speed, 1.0))
    assert {source.num_samples for source in plan.sources} == {plan.num_samples}


@pytest.mark.parametrize("num_speakers", [2, 3])
def test_joined_passages_fill_the_whole_mixture_and_unjoined_ones_lie_anywhere(num_speakers):
    options = JOINED | {"num_speakers": num_speakers}
    plans = [draw(key, **options) for key in range(30)]
    assert {source.num_samples for plan in plans for source in plan.sources} == {3500}
    assert max(len(source.pieces) for plan in plans for source in plan.sources) >= 3
    apart = [draw(key, **options | {"join": False}) for key in range(30)]
    assert len({plan.sources[0].offset for plan in apart}) > 20
    assert {len(source.pieces) for plan in apart for source in plan.sources} == {1}


def test_the_same_generator_gives_the_same_plan_and_another_one_another():
    for options in ({}, JOINED | {"num_speakers": 3}):
        plans = [draw(key, snr_db=(-5, 5), **options) for key in (0, 0, 1)]
        assert plans[0] == plans[1] != plans[2]


def test_an_snr_range_is_filled_evenly_and_its_ends_kept():
    drawn = np.array([draw(key, snr_db=(-5.0, 5.0)).snr_db for key in range(2000)])
    assert drawn.min() >= -5 and drawn.max() <= 5
    assert np.histogram(drawn, bins=4, range=(-5, 5))[0].min() > 400


def test_partners_and_stretches_do_not_depend_on_the_snr():
    assert draw(3, snr_db=-5.0).sources == draw(3, snr_db=(0.0, 5.0)).sources


def test_lengths_are_counted_after_the_change_of_speed():
    plan = draw(1, speeds=(2.0,), mode="target")
    assert plan.num_samples == LENGTHS["a-0"] // 2
    assert {source.speed for source in plan.sources} == {2.0}


def test_rooms_and_noises_come_from_those_given():
    plans = [draw(key, rooms=["hall", "bath"], noises={"tap": 50}, noise_snr_db=(3.0, 4.0)) for key in range(50)]
    assert {source.room for plan in plans for source in plan.sources} == {"hall", "bath"}
    assert {plan.noise.id for plan in plans} == {"tap"}
    assert all(0 <= plan.noise.start < 50 and 3 <= plan.noise.snr_db <= 4 for plan in plans)


def test_rooms_noises_and_gains_come_as_often_as_asked_for_on_mixtures_and_enrollments():
    options = {"rooms": ("hall",), "room_probability": 0.3, "noises": {"fan": 900}, "noise_probability": 0.6}
    drawn = [trials(key, gain_db=(-6.0, 0.0), **JOINED, **options) for key in range(500)]
    mixtures = [asked[0].mixture for asked in drawn]
    enrollments = [trial.enrollment for asked in drawn for trial in asked]
    assert all(len({source.room for source in plan.sources}) == 1 for plan in mixtures)
    assert np.mean([plan.sources[0].room == "hall" for plan in mixtures]) == pytest.approx(0.3, abs=0.06)
    assert np.mean([plan.noise is not None for plan in mixtures]) == pytest.approx(0.6, abs=0.06)
    assert np.mean([e.passage.room == "hall" for e in enrollments]) == pytest.approx(0.3, abs=0.05)
    assert np.mean([e.noise is not None for e in enrollments]) == pytest.approx(0.6, abs=0.05)
    gains = np.array([e.passage.gain for e in enrollments] + [plan.gain for plan in mixtures])
    assert 0.5 < gains.min() < 0.52 and 0.98 < gains.max() <= 1


HOUSE = [f"{room}-{place}.flac" for room in ("bath", "hall", "study") for place in (1, 2, 3)]


@pytest.mark.parametrize("num_speakers", [2, 3])
def test_speakers_of_a_mixture_stand_at_places_of_one_room_and_enroll_in_others(num_speakers):
    met = set()
    for key in range(60):
        roles = (*range(1, num_speakers + 1), None)
        drawn = trials(key, roles, num_speakers=num_speakers, rooms=HOUSE, same_room=True, **JOINED)
        places = [source.room for source in drawn[0].mixture.sources]
        (room,) = {room_of(place) for place in places}
        assert len(set(places)) == num_speakers
        assert room not in {room_of(trial.enrollment.passage.room) for trial in drawn}
        met |= {*places, *(trial.enrollment.passage.room for trial in drawn)}
    assert met == set(HOUSE)


def test_speakers_share_places_where_a_room_has_too_few():
    for key in range(20):
        places = [source.room for source in draw(key, num_speakers=3, rooms=HOUSE[:2], same_room=True).sources]
        assert set(places) == set(HOUSE[:2])


def test_in_the_only_room_there_is_the_enrollment_comes_from_it_too():
    (trial,) = trials(0, (1,), rooms=HOUSE[:3], same_room=True, **JOINED)
    assert room_of(trial.enrollment.passage.room) == "bath"


def test_mixtures_in_rooms_of_one_response_each_are_as_without_the_option():
    for key in range(20):
        mixtures = [draw(key, rooms=("hall.wav", "bath.wav"), same_room=same) for same in (False, True)]
        assert mixtures[0] == mixtures[1]


def test_microphones_come_as_often_as_asked_for_and_enrollments_have_their_own():
    drawn = [trials(key, channel_probability=0.4, **JOINED) for key in range(300)]
    mixtures = [asked[0].mixture.channel for asked in drawn]
    enrollments = [trial.enrollment.channel for asked in drawn for trial in asked]
    assert np.mean([channel is not None for channel in mixtures]) == pytest.approx(0.4, abs=0.08)
    assert np.mean([channel is not None for channel in enrollments]) == pytest.approx(0.4, abs=0.06)
    met = [channel for channel in (*mixtures, *enrollments) if channel]
    assert len(set(met)) == len(met) and {channel.fs for channel in met} == {16000}


@pytest.mark.parametrize("options", [JOINED, JOINED | {"join": False}, {"mode": "max"}])
def test_in_a_partial_mixture_everyone_speaks_for_a_part_of_the_time_at_any_place(options):
    plans = [draw(key, partial_probability=1.0, num_speakers=3, **options) for key in range(200)]
    sources = [source for plan in plans for source in plan.sources]
    assert all(source.fade == 80 for source in sources)
    for plan in plans:
        for source in plan.sources:
            available = sum(piece.num_samples for piece in source.pieces)
            assert source.start + source.num_samples <= available and source.num_samples >= 0.2 * available
            assert 0 <= source.offset <= plan.num_samples - source.num_samples
    shares = [source.num_samples / sum(piece.num_samples for piece in source.pieces) for source in sources]
    assert np.mean(np.array(shares) == 1) == pytest.approx(0.2, abs=0.07) and np.mean(shares) == pytest.approx(
        0.68, abs=0.05
    )
    firsts = [(plan.sources[0], plan.sources[1]) for plan in plans]
    apart = [a.offset + a.num_samples <= b.offset or b.offset + b.num_samples <= a.offset for a, b in firsts]
    assert 5 < sum(apart) < 100


def test_shares_of_partial_mixtures_and_of_those_with_one_speaker_more_are_those_asked_for():
    plans = [draw(key, partial_probability=0.3, third_probability=0.2, **JOINED) for key in range(500)]
    assert np.mean([plan.sources[0].fade is not None for plan in plans]) == pytest.approx(0.3, abs=0.06)
    assert np.mean([len(plan.sources) == 3 for plan in plans]) == pytest.approx(0.2, abs=0.05)
    assert {len(plan.sources) for plan in plans} == {2, 3}


def test_a_lone_speaker_gets_no_second_one():
    drawn = [trials(key, (1,), lone=True, third_probability=1.0, partial_probability=1.0, **JOINED) for key in range(9)]
    assert {len(trial.mixture.sources) for (trial,) in drawn} == {1}


def test_what_is_off_takes_no_random_number():
    for key in range(5):
        plain = trials(key, **JOINED)
        off = trials(key, channel_probability=0.0, partial_probability=0.0, third_probability=0.0, **JOINED)
        assert off == plain


def test_enrollments_of_a_set_are_whole_utterances_as_they_were_recorded():
    for key in range(50):
        for trial in trials(key, rooms=("hall",), noises={"fan": 900}, gain_db=3.0):
            passage, (piece,) = trial.enrollment.passage, trial.enrollment.passage.pieces
            assert (piece.start, piece.num_samples, passage.num_samples) == (0, LENGTHS[piece.utt], LENGTHS[piece.utt])
            assert (trial.enrollment.noise, passage.room, passage.gain) == (None, None, None)


@pytest.mark.parametrize("options", [{}, JOINED, JOINED | {"join": False}, {"speeds": (0.9, 1.1)}])
@pytest.mark.parametrize("num_speakers", [2, 3])
def test_an_enrollment_shares_no_utterance_with_its_mixture_and_has_its_speakers_speed(num_speakers, options):
    roles = range(1, num_speakers + 1)
    for key in range(60):
        for trial in trials(key, roles, num_speakers=num_speakers, **options):
            source, enrollment = trial.mixture.sources[trial.role - 1], trial.enrollment.passage
            mixed = {utt for source in trial.mixture.sources for utt in source.utterances}
            assert not mixed & set(enrollment.utterances)
            assert source.spk == enrollment.spk == trial.spk and source.speed == enrollment.speed
            assert trial.id == f"{trial.spk}-{trial.mixture.id}" and trial.condition == "present"


def test_every_role_is_asked_for_with_one_plan():
    one, two, three = trials(0, (1, 2, 3), num_speakers=3)
    assert one.mixture is two.mixture is three.mixture
    assert [trial.spk for trial in (one, two, three)] == [source.spk for source in one.mixture.sources]


def test_a_speaker_alone_is_asked_for_as_often_as_wanted():
    drawn = [trials(key, (1, 1), lone=True, **JOINED) for key in range(20)]
    for one, two in drawn:
        assert len(one.mixture.sources) == 1 and one.mixture.snr_db is None
        assert one.condition == two.condition == "single" and one.spk == two.spk
    assert sum(one.enrollment != two.enrollment for one, two in drawn) >= 19


@pytest.mark.parametrize("num_speakers", [2, 3])
def test_an_absent_speaker_is_none_of_the_mixture(num_speakers):
    for key in range(50):
        present, absent = trials(key, (1, None), num_speakers=num_speakers)
        assert (present.condition, absent.condition) == ("present", "absent")
        assert absent.spk not in {source.spk for source in absent.mixture.sources}


def test_two_utterances_of_a_speaker_are_enough():
    pool = Pool({utt: spk for utt, spk in UTT2SPK.items() if utt[-1] in "01"}, LENGTHS)
    for key in range(20):
        for trial in trials(key, (1, 2, 3), num_speakers=3, pool=pool, **JOINED):
            assert all(len(passage.utterances) == 1 for passage in (*trial.mixture.sources, trial.enrollment.passage))


def test_enrollments_of_a_set_length_are_joined_or_cut_and_have_all_there_is_where_that_is_less():
    def lengths(low, high, **options):
        drawn = [trial for key in range(30) for trial in trials(key, enrollment_num_samples=(low, high), **options)]
        assert all(piece.start + piece.num_samples <= LENGTHS[piece.utt] for t in drawn for piece in pieces_of(t))
        return {t.enrollment.passage.num_samples for t in drawn}, {len(pieces_of(t)) for t in drawn}

    assert lengths(3000, 3000) == ({3000}, {2, 3})
    cut, pieces = lengths(200, 400)
    assert pieces == {1} and 200 <= min(cut) < 240 and 360 < max(cut) <= 400
    whole, pieces = lengths(99000, 99000)
    assert pieces == {3} and min(whole) > 3000 and max(whole) < 99000
    assert lengths(99000, 99000, join=True, num_samples=3500)[0] == {99000}


def pieces_of(trial: Trial):
    return trial.enrollment.passage.pieces


def test_an_enrollment_can_have_random_numbers_of_its_own():
    mixing = Mixing(0.0)
    mixture = draw_mixture(rng_for(0), "a-0", POOL, mixing)
    both, second = (
        draw_trials(rng_for(9), mixture, roles, POOL, mixing, enrollment_rng=lambda name: rng_for(0, name))
        for roles in ((1, 2), (2,))
    )
    assert both[1:] == second


def test_positions_are_plain_numbers():
    values = [trials(0, **options)[0].enrollment.passage for options in ({"enrollment_num_samples": (20, 40)}, JOINED)]
    assert not any(isinstance(value, np.generic) for passage in values for value in vars(passage.pieces[0]).values())
    assert not any(
        isinstance(value, np.generic) for passage in values for value in dataclasses.asdict(passage).values()
    )


def test_too_few_speakers_are_refused():
    with pytest.raises(DataDirError, match="mixtures of 5 speakers need at least 5 speakers, found 4"):
        draw(0, num_speakers=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"snr_db": float("inf")}, "snr_db: expected a finite number of dB, or a lower and an upper one, got inf"),
        ({"snr_db": float("nan")}, "snr_db: expected a finite number of dB"),
        ({"snr_db": (5.0, -5.0)}, r"snr_db: .* got \(5.0, -5.0\)"),
        ({"snr_db": (1.0, 2.0, 3.0)}, "a lower and an upper one"),
        ({"noise_snr_db": (5.0, -5.0)}, "noise_snr_db: expected a finite"),
        ({"gain_db": (5.0, -5.0)}, "gain_db: expected a finite"),
        ({"room_probability": -0.1}, "room_probability: expected a number from 0 to 1, got -0.1"),
        ({"channel_probability": 1.5}, "channel_probability: expected a number from 0 to 1, got 1.5"),
        ({"partial_probability": -1}, "partial_probability: expected a number from 0 to 1, got -1"),
        ({"third_probability": 2}, "third_probability: expected a number from 0 to 1, got 2"),
        ({"num_speakers": 1}, "num_speakers: expected 2 or more, got 1"),
        ({"mode": "mean"}, "mode: expected one of min, max, target, got 'mean'"),
        ({"speeds": (0.0,)}, r"speeds: expected factors between 0.1 and 10, got \(0.0,\)"),
        ({"speeds": ()}, "speeds: expected factors"),
    ],
)
def test_a_setting_out_of_range_is_named(options, message):
    with pytest.raises(ConfigError, match=message):
        Mixing(**{"snr_db": 0.0, **options})
