"""A folder of room impulse responses: many rooms of the size of desks, living rooms and meeting rooms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.prepare.simulated_folder import claim, is_made
from zspex_toolkit.simulation.rooms import (
    Room,
    RoomRanges,
    direct_to_reverberant_db,
    draw_room,
    impulse_responses,
    measured_t60_s,
    require_pyroomacoustics,
    room_rng,
)

TABLE = "responses.tsv"
COLUMNS = ("file", "length_m", "width_m", "height_m", "distance_m", "asked_t60_s", "t60_s", "drr_db")
LIMITS = {"length_m": (2, 20), "width_m": (2, 20), "height_m": (2, 10), "t60_s": (0.1, 1.5), "distance_m": (0.1, 15)}


@dataclass(frozen=True)
class Config:
    """Settings of simulate_rooms."""

    out: Path  # folder of the responses (FLAC) and their table
    num_rooms: int = 300
    num_places: int = 3  # of people in each room
    fs: int = 16000  # rate in Hz
    length_m: tuple[float, float] = RoomRanges.length_m  # least and largest
    width_m: tuple[float, float] = RoomRanges.width_m
    height_m: tuple[float, float] = RoomRanges.height_m
    t60_s: tuple[float, float] = RoomRanges.t60_s  # time in which sound decays by 60 dB
    distance_m: tuple[float, float] = RoomRanges.distance_m  # from the microphone to a mouth
    seed: int = 0  # the responses follow from it
    nj: int = 1  # number of processes


def simulate_rooms(config: Config) -> None:
    """Write ``out/room0001-1.flac``, ... and the table ``out/responses.tsv``.

    ``room0001-1`` and ``room0001-2`` are two places in one room, heard by one microphone. A room follows from the seed
    and its number. Files that an earlier run made with the same settings are kept; those of other settings go.

    Raises:
        ConfigError: if a setting is out of its range, or ``out`` holds such a file that this did not make.
        UserError: if the package pyroomacoustics is not installed.
    """
    _check(config)
    require_pyroomacoustics()
    numbers = range(1, config.num_rooms + 1)
    left_out = ("out", "num_rooms", "nj")
    settings = {name: value for name, value in to_dict(config).items() if name not in left_out}
    claim(config.out, settings, [*(path.name for number in numbers for path in _files(config, number)), TABLE])
    made = map_in_processes(partial(_make, config), numbers, config.nj, label="rooms")
    rows = [row for _, rows in made for row in rows]
    lines = ["\t".join(row) for row in (COLUMNS, *rows)]
    write_text(config.out / TABLE, "\n".join(lines) + "\n")
    t60_s = np.quantile([float(row[-2]) for row in rows], (0, 0.25, 0.5, 0.75, 1))
    count = sum(is_new for is_new, _ in made)
    print(
        f"{config.out}: {len(rows)} responses of {len(made)} rooms: {count} rooms made, {len(made) - count} already"
        f" there; T60 {' '.join(f'{value:.2f}' for value in t60_s)} s (least, quartiles, largest); see {TABLE}"
    )


def _check(config: Config) -> None:
    for name, least in (("num_rooms", 1), ("num_places", 1), ("fs", 8000), ("nj", 1)):
        if getattr(config, name) < least:
            raise ConfigError(f"{name}: expected at least {least}, got {getattr(config, name)}")
    for name, (lower, upper) in LIMITS.items():
        least, largest = getattr(config, name)
        if not lower <= least <= largest <= upper:
            raise ConfigError(
                f"{name}: expected two values from {lower:g} to {upper:g}, the least first, got {least:g},{largest:g}"
            )


def _files(config: Config, number: int) -> list[Path]:
    return [config.out / f"room{number:04d}-{place + 1}.flac" for place in range(config.num_places)]


def _make(config: Config, number: int) -> tuple[bool, list[tuple[str, ...]]]:
    """Write the responses of a room unless all are there: whether it is new, and their rows of the table."""
    names = ("length_m", "width_m", "height_m", "t60_s", "distance_m")
    ranges = RoomRanges(**{name: getattr(config, name) for name in names})
    room = draw_room(room_rng(config.seed, number, "walls"), ranges, config.fs, config.num_places)
    files = _files(config, number)
    is_new = not all(is_made(path) for path in files)
    if is_new:
        responses = impulse_responses(room, config.fs, room_rng(config.seed, number, "echoes"))
        for path, response in zip(files, responses, strict=True):
            write_audio(path, response, config.fs)
    return is_new, [_row(room, mouth, path) for mouth, path in zip(room.mouths, files, strict=True)]


def _row(room: Room, mouth: tuple[float, ...], path: Path) -> tuple[str, ...]:
    response, fs = read_audio(path)
    distance_m = np.linalg.norm(np.subtract(mouth, room.microphone))
    values = (*room.size_m, distance_m, room.t60_s, measured_t60_s(response, fs))
    return (path.name, *(f"{value:.3f}" for value in values), f"{direct_to_reverberant_db(response, fs):.1f}")
