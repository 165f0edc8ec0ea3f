"""Which impulse responses are of one room: places of the speakers of a mixture in it, and other rooms."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np


def room_of(response: str) -> str:
    """The room of an impulse response: its name up to the last ``-``, or all of it.

    >>> room_of("room0001-2.flac")
    'room0001'
    """
    return response.rpartition("-")[0] or response


def draw_next_place(rng: np.random.Generator, responses: Sequence[str], taken: Sequence[str]) -> str:
    """A response of the room of those ``taken``, and none of these while there are others.

    Any response if none is taken, or if the first of them is the only one of its room.
    """
    places = [name for name in responses if room_of(name) == room_of(taken[0])] if taken else []
    if len(places) > 1:
        responses = [name for name in places if name not in taken] or places
    return responses[int(rng.integers(len(responses)))]


def in_other_rooms(responses: Sequence[str], taken: Collection[str]) -> Sequence[str]:
    """The responses of all rooms but those ``taken`` are of; of all rooms if there is no other."""
    used = {room_of(name) for name in taken}
    return [name for name in responses if room_of(name) not in used] or responses
