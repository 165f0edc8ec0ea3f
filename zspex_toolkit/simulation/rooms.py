"""Made-up rooms: a box, a microphone and places where people speak; which impulse responses are of one room."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.randomness import rng_for

C = 343.0  # speed of sound, m/s
CENTRES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)  # of the octaves that walls absorb differently
ABSORPTION = (0.1, 0.7)  # of all walls, mean: barer and duller rooms than that are hardly lived in
WALL_M = 0.3  # nobody stands nearer to a wall
JITTER_M = 0.05  # walls are not as flat as mirrors: echoes come from so much beside where they would
DIRECT_S = 0.0025  # what arrives within this time counts as direct sound
ATTEMPTS = 1000
Range = tuple[float, float]


@dataclass(frozen=True)
class RoomRanges:
    """What rooms are drawn from, evenly between the two values; distances evenly on a logarithmic scale."""

    length_m: Range = (2.5, 9.0)
    width_m: Range = (2.2, 6.0)
    height_m: Range = (2.2, 3.5)
    t60_s: Range = (0.15, 0.7)  # time in which sound decays by 60 dB
    tilt: Range = (0.0, 0.2)  # absorption grows with frequency to the power of this
    distance_m: Range = (0.3, 4.0)  # from the microphone to a mouth
    microphone_m: Range = (0.7, 1.6)  # above the floor
    mouth_m: Range = (1.0, 1.8)  # above the floor


@dataclass(frozen=True)
class Room:
    """A room; positions are (length, width, height) in m from a corner."""

    size_m: tuple[float, float, float]
    t60_s: float
    absorption: tuple[float, ...]  # share of the energy that a wall takes, by octave
    microphone: tuple[float, float, float]
    mouths: tuple[tuple[float, float, float], ...]


def require_pyroomacoustics() -> ModuleType:
    """The package; imported where it is used, as not everyone has it.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import pyroomacoustics
    except ImportError as missing:
        raise UserError("the package pyroomacoustics is not installed; pip install 'zspex_toolkit[rooms]'") from missing
    return pyroomacoustics


def draw_room(rng: np.random.Generator, ranges: RoomRanges, fs: int, num_places: int) -> Room:
    """A room whose walls absorb as much as its size and its T60 ask for (Sabine), 0.1 to 0.7 at 1 kHz.

    Distances are whole numbers of samples, so that the direct sound is a single one.

    Raises:
        ConfigError: if no such room comes up in a thousand draws.
    """
    for _ in range(ATTEMPTS):
        size = tuple(float(rng.uniform(*bounds)) for bounds in (ranges.length_m, ranges.width_m, ranges.height_m))
        t60_s, tilt = float(rng.uniform(*ranges.t60_s)), float(rng.uniform(*ranges.tilt))
        mean = sabine_absorption(size, t60_s)
        if not ABSORPTION[0] <= mean <= ABSORPTION[1]:
            continue
        microphone = tuple(float(rng.uniform(WALL_M, side - WALL_M)) for side in size[:2])
        microphone += (float(rng.uniform(*ranges.microphone_m)),)
        places = [_draw_place(rng, ranges, fs, size, microphone) for _ in range(num_places)]
        if all(places):
            absorption = tuple(min(mean * (hz / 1000) ** tilt, 0.98) for hz in CENTRES_HZ)
            return Room(size, t60_s, absorption, microphone, tuple(places))
    raise ConfigError(
        f"rooms: expected sizes, T60 and distances that go together, found none in {ATTEMPTS} draws; take wider ranges"
    )


def sabine_absorption(size_m: tuple[float, float, float], t60_s: float) -> float:
    """Share of energy that the walls of a box absorb: 24 ln(10) V / (c S T60).

    >>> round(sabine_absorption((5.0, 4.0, 3.0), 0.4), 3)
    0.257
    """
    x, y, z = size_m
    return 24 * math.log(10) * x * y * z / (C * 2 * (x * y + y * z + z * x) * t60_s)


def impulse_responses(room: Room, fs: int, rng: np.random.Generator) -> list[np.ndarray]:
    """The response from each mouth to the microphone, float32 (R,), the direct sound first and strongest, at 0.9.

    Image method, every echo moved by up to 5 cm against the flutter of perfect boxes. These decay slower than Sabine's
    formula says, so an exponential over all responses makes their mean T60 that of the room. Where echoes add up to
    more than the direct sound they are limited to it, as ``reverberate`` takes the strongest sample for it.

    Raises:
        UserError: if the package pyroomacoustics is not installed.

    References: Allen and Berkley, "Image method for efficiently simulating small-room acoustics", JASA 65(4), 1979;
        De Sena et al., "On the modeling of rectangular geometries in room acoustic simulations", TASLP 23(4), 2015.
    """
    library = require_pyroomacoustics()
    library.constants.set("num_threads", 1)  # with more, the order of sums and so the last bits depend on the machine
    walls = {"coeffs": list(room.absorption), "center_freqs": list(CENTRES_HZ)}
    order = int(np.ceil(C * room.t60_s / min(room.size_m)))  # enough for all that arrives within T60
    box = library.ShoeBox(room.size_m, fs=fs, materials=library.Material(walls), max_order=order, air_absorption=True)
    box.set_sound_speed(C)
    for mouth in room.mouths:
        box.add_source(mouth)
    box.add_microphone(room.microphone)
    box.image_source_model()
    for source in box.sources:
        source.images += rng.uniform(-JITTER_M, JITTER_M, source.images.shape) * (source.orders > 0)
    box.compute_rir()
    lead = library.constants.get("frac_delay_length") // 2
    found = []
    for mouth, response in zip(room.mouths, box.rir[0], strict=True):
        first = lead + round(np.linalg.norm(np.subtract(mouth, room.microphone)) / C * fs)
        found.append(response[first : first + round(1.2 * room.t60_s * fs)])
    for _ in range(5):  # the fit is to a curve that is not quite straight
        measured_s = np.mean([measured_t60_s(response, fs) for response in found])
        rate = 3 * np.log(10) * (1 / room.t60_s - 1 / measured_s)
        found = [response * np.exp(-rate / fs * np.arange(len(response))) for response in found]
    limited = [np.clip(response / abs(response[0]), -1, 1) for response in found]
    return [(0.9 * response).astype(np.float32) for response in limited]


def measured_t60_s(response: np.ndarray, fs: int) -> float:
    """Time in which sound decays by 60 dB: twice that from -5 to -35 dB, without the direct sound; (R,) at ``fs`` Hz.

    Reference: Schroeder, "New method of measuring reverberation time", JASA 37(3), 1965; ISO 3382-2 (T30).
    """
    energy = np.cumsum(np.square(response[round(DIRECT_S * fs) :], dtype=np.float64)[::-1])[::-1]
    level_db = 10 * np.log10(np.maximum(energy / energy[0], 1e-12))
    fitted = np.flatnonzero((level_db <= -5) & (level_db >= -35))
    slope = np.polyfit(fitted / fs, level_db[fitted], 1)[0]
    return float(-60 / slope)


def direct_to_reverberant_db(response: np.ndarray, fs: int) -> float:
    """Energy of the first 2.5 ms over that of the rest, in dB; (R,) with the direct sound first."""
    split = round(DIRECT_S * fs)
    direct, rest = response[:split].astype(np.float64), response[split:].astype(np.float64)
    return float(10 * np.log10((direct @ direct) / (rest @ rest)))


def room_rng(seed: int, number: int, what: str) -> np.random.Generator:
    """Random numbers of one room, whatever others there are."""
    return rng_for(seed, "room", number, what)


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


def _draw_place(
    rng: np.random.Generator, ranges: RoomRanges, fs: int, size: tuple[float, ...], microphone: tuple[float, ...]
) -> tuple[float, float, float] | None:
    """A mouth in the room at a drawn distance; None if that does not come up soon."""
    for _ in range(50):
        distance = np.exp(rng.uniform(*np.log(ranges.distance_m)))
        distance = max(round(distance / C * fs), 1) * C / fs
        rise = rng.uniform(*ranges.mouth_m) - microphone[2]
        if abs(rise) > distance:
            continue
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(distance**2 - rise**2)
        mouth = np.add(microphone, (reach * np.cos(angle), reach * np.sin(angle), rise))
        if all(WALL_M <= place <= side - WALL_M for place, side in zip(mouth, size, strict=True)):
            return tuple(float(place) for place in mouth)
    return None
