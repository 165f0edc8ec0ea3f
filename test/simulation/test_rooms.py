"""Made-up rooms: sizes, distances and decay are those asked for, and the direct sound comes first."""

import builtins

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.simulation.perturb import reverberate
from zspex_toolkit.simulation.rooms import (
    C,
    RoomRanges,
    direct_to_reverberant_db,
    draw_next_place,
    draw_room,
    impulse_responses,
    in_other_rooms,
    measured_t60_s,
    require_pyroomacoustics,
    room_of,
    room_rng,
    sabine_absorption,
)

FS = 8000
SMALL = RoomRanges(length_m=(3.0, 4.0), width_m=(2.5, 3.5), height_m=(2.4, 2.8), t60_s=(0.15, 0.3))


def room(number=1, ranges=SMALL, places=2):
    return draw_room(room_rng(0, number, "walls"), ranges, FS, places)


def responses(number=1, **options):
    pytest.importorskip("pyroomacoustics", reason="needs the extra 'rooms' (pyroomacoustics)")
    return impulse_responses(room(number, **options), FS, room_rng(0, number, "echoes"))


def distance_m(drawn, mouth) -> float:
    return float(np.linalg.norm(np.subtract(mouth, drawn.microphone)))


def test_what_is_drawn_lies_in_its_range_and_in_the_room():
    ranges = RoomRanges()
    for number in range(50):
        drawn = room(number, ranges, 3)
        for side, bounds in zip(drawn.size_m, (ranges.length_m, ranges.width_m, ranges.height_m), strict=True):
            assert bounds[0] <= side <= bounds[1]
        assert ranges.t60_s[0] <= drawn.t60_s <= ranges.t60_s[1]
        assert 0.1 <= drawn.absorption[3] <= 0.7 and list(drawn.absorption) == sorted(drawn.absorption)
        for place in (drawn.microphone, *drawn.mouths):
            assert all(0.299 <= at <= side - 0.299 for at, side in zip(place, drawn.size_m, strict=True))
        assert all(0.28 <= distance_m(drawn, mouth) <= 4.03 for mouth in drawn.mouths)
        assert len(set(drawn.mouths)) == 3


def test_near_places_come_as_often_as_far_ones_on_a_logarithmic_scale():
    drawn = [room(number, RoomRanges(), 3) for number in range(100)]
    near = np.mean([distance_m(each, mouth) < np.sqrt(0.3 * 4) for each in drawn for mouth in each.mouths])
    assert 0.4 < near < 0.75  # the farthest ones do not fit into small rooms


def test_distances_are_whole_numbers_of_samples():
    drawn = room()
    for mouth in drawn.mouths:
        samples = distance_m(drawn, mouth) / C * FS
        assert samples == pytest.approx(round(samples), abs=1e-6)


def test_rooms_follow_from_seed_and_number_alone():
    assert room(3) == room(3) != room(4)


def test_ranges_that_do_not_go_together_are_refused():
    with pytest.raises(ConfigError, match="expected sizes, T60 and distances that go together, found none in 1000"):
        room(ranges=RoomRanges(length_m=(3, 3), width_m=(3, 3), distance_m=(8, 9)))


def test_a_room_of_one_cubic_metre_per_square_metre_of_wall():
    """Twice 0.161 s/m times V = 216 m3 over S = 216 m2: Sabine's constant is 24 ln(10) / c."""
    assert sabine_absorption((6.0, 6.0, 6.0), 0.5) == pytest.approx(2 * 0.1611, rel=1e-3)


def test_the_direct_sound_is_first_strongest_and_a_single_sample():
    for response in responses():
        assert np.abs(response).argmax() == 0 and response[0] == pytest.approx(0.9, abs=1e-6)
        assert np.abs(response[1:4]).max() < 0.1


def test_speech_keeps_its_time_in_such_a_room():
    click = np.zeros(4000)
    click[100] = 1.0
    heard = reverberate(click, responses()[0])
    assert np.abs(heard).argmax() == 100 and np.abs(heard[:100]).max() < 1e-6


def test_sound_decays_in_the_time_asked_for():
    for number in (1, 2, 3):
        measured = [measured_t60_s(response, FS) for response in responses(number)]
        assert np.mean(measured) == pytest.approx(room(number).t60_s, rel=0.1)


def test_the_same_numbers_give_the_same_samples_and_places_differ():
    one, two = responses()
    again = responses()
    assert np.array_equal(one, again[0]) and np.array_equal(two, again[1])
    assert not np.array_equal(one[:500], two[:500])


def test_echoes_come_when_mirrored_mouths_would_be_heard():
    """The first echo of the nearest wall, within the 5 cm by which it may be moved along each axis."""
    drawn, found = room(), responses()
    for mouth, response in zip(drawn.mouths, found, strict=True):
        mirrored = [[*mouth[:axis], 2 * wall - mouth[axis], *mouth[axis + 1 :]]
                    for axis in range(3) for wall in (0, drawn.size_m[axis])]  # fmt: skip
        delay_s = (min(distance_m(drawn, each) for each in mirrored) - distance_m(drawn, mouth)) / C
        quiet = max(round((delay_s - 0.09 / C) * FS) - 4, 2)  # the band-limited echo begins a little earlier
        loud = slice(quiet, round((delay_s + 0.09 / C) * FS) + 4)
        assert np.ptp(response[1:quiet]) < 0.03 < np.ptp(response[loud])  # about a mean that has no 10 Hz and below


def test_a_decay_of_known_rate_is_measured():
    """Noise that falls by 60 dB in 0.4 s."""
    time = np.arange(6400) / 16000
    noise = np.random.default_rng(0).standard_normal(6400) * 10 ** (-3 * time / 0.4)
    assert measured_t60_s(noise, 16000) == pytest.approx(0.4, rel=0.05)


def test_direct_over_reverberant_energy_worked_by_hand():
    """One over a hundred samples of 0.01 squared each: 20 dB."""
    assert direct_to_reverberant_db(np.r_[1.0, np.zeros(39), np.full(100, 0.01)], 16000) == pytest.approx(20.0)


def test_the_package_that_is_not_installed_is_named(monkeypatch):
    importing = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "pyroomacoustics":
            raise ModuleNotFoundError(name)
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match=r"not installed; pip install 'zspex_toolkit\[rooms\]'"):
        require_pyroomacoustics()


NAMES = ["bath-1.flac", "bath-2.flac", "hall.flac", "old-hall-1.flac", "old-hall-2.flac"]


def drawn(taken) -> set[str]:
    rng = np.random.default_rng(0)
    return {draw_next_place(rng, NAMES, taken) for _ in range(100)}


def test_a_room_is_what_names_have_before_their_last_hyphen():
    names = ("old-hall-12.flac", "hall.flac", "-1.flac")
    assert [room_of(name) for name in names] == ["old-hall", "hall.flac", "-1.flac"]


def test_the_first_place_is_any_and_the_next_another_of_its_room():
    assert drawn([]) == set(NAMES)
    assert drawn(["bath-2.flac"]) == {"bath-1.flac"}


def test_places_are_shared_when_all_are_taken():
    assert drawn(["bath-2.flac", "bath-1.flac"]) == {"bath-1.flac", "bath-2.flac"}


def test_a_response_that_is_the_only_one_of_its_room_goes_with_any():
    assert drawn(["hall.flac"]) == set(NAMES)


def test_other_rooms_are_all_but_those_taken_unless_there_is_none():
    assert in_other_rooms(NAMES, ["bath-1.flac", "hall.flac"]) == NAMES[3:]
    assert in_other_rooms(NAMES, []) == NAMES
    assert in_other_rooms(NAMES[:2], ["bath-1.flac"]) == NAMES[:2]
