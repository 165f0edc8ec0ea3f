"""Responses of one room, by their names."""

import numpy as np

from zspex_toolkit.simulation.places import draw_next_place, in_other_rooms, room_of

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
