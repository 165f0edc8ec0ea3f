"""A passage of one speaker: stretches of one or several utterances, one behind the other, that fill a given length."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.simulation.speed import change_speed


@dataclass(frozen=True)
class Piece:
    """Samples ``start : start + num_samples`` of an utterance, at its own speed."""

    utt: str
    start: int
    num_samples: int


@dataclass(frozen=True)
class Passage:
    """What one speaker says: ``num_samples`` samples from ``offset`` on, counted after the change of speed."""

    spk: str
    pieces: tuple[Piece, ...]
    num_samples: int
    offset: int = 0
    speed: float = 1.0  # the pieces are played this much faster, pitch and all
    room: str | None = None  # id of the room impulse response that they are convolved with

    @property
    def utterances(self) -> list[str]:
        """The utterances it is taken from, in its order."""
        return [piece.utt for piece in self.pieces]


def draw_passage(
    rng: np.random.Generator,
    spk: str,
    utterances: Sequence[str],
    utt2num_samples: Mapping[str, int],
    num_samples: int,
    *,
    speed: float = 1.0,
    join: bool = True,
) -> Passage:
    """A passage of ``num_samples`` samples, without room and offset.

    Args:
        rng: where the stretches come from.
        spk: the speaker.
        utterances: taken in this order until the passage is full, and then over again; at least one.
        utt2num_samples: their lengths.
        num_samples: length wanted, after the change of speed.
        speed: of the whole passage.
        join: use more than the first utterance if it is too short; otherwise the passage is as long as it.

    A first utterance that is longer than needed gives a random stretch; so does the last of several.
    """
    wanted = math.ceil(num_samples * speed)
    pieces: list[Piece] = []
    left = wanted
    while left > 0 and (join or not pieces):
        utt = utterances[len(pieces) % len(utterances)]
        length = utt2num_samples[utt]
        taken = min(length, left)
        pieces.append(Piece(utt, int(rng.integers(length - taken + 1)), taken))
        left -= taken
    full = num_samples if left == 0 else max(1, min(num_samples, math.floor((wanted - left) / speed)))
    return Passage(spk, tuple(pieces), full, speed=speed)


def read_passage(passage: Passage, read: Callable[[str, int, int], np.ndarray]) -> np.ndarray:
    """Its samples without room and offset, float32 (passage.num_samples,).

    Args:
        passage: which pieces.
        read: gives samples ``start`` to ``stop`` of an utterance.
    """
    parts = [read(piece.utt, piece.start, piece.start + piece.num_samples) for piece in passage.pieces]
    samples = change_speed(parts[0] if len(parts) == 1 else np.concatenate(parts), passage.speed)
    if len(samples) < passage.num_samples:  # lengths are rounded: at most a sample is missing
        samples = np.pad(samples, (0, passage.num_samples - len(samples)))
    return samples[: passage.num_samples]
