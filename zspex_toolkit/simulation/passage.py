"""A passage of one speaker: drawn from one or several utterances until it is full, and read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.perturb import change_speed, num_samples_at_speed
from zspex_toolkit.simulation.plan import Passage, Piece
from zspex_toolkit.simulation.pool import Pool

AUDIBLE = 0.05  # power of a stretch over that of all it is taken from, below which it is a pause
Read = Callable[[str, int, int | None], np.ndarray]  # samples from one on to another (None: the end) of an utterance


def draw_passage(
    rng: np.random.Generator,
    pool: Pool,
    spk: str,
    positions: Sequence[int],
    num_samples: int | None,
    *,
    speed: float = 1.0,
    join: bool = True,
    repeat: bool = True,
) -> Passage:
    """A passage of ``num_samples`` samples, without room and offset.

    Args:
        rng: where the stretches come from.
        pool: where the utterances are.
        spk: the speaker.
        positions: the utterances' places in the pool, taken in this order until the passage is full; at least one.
        num_samples: length wanted, after the change of speed; None: all of the first utterance.
        speed: of the whole passage.
        join: use more than the first utterance if it is too short; otherwise the passage is as long as it.
        repeat: take the utterances over again if all are too short; otherwise the passage is as long as they are.

    A first utterance that is longer than needed gives a random stretch; so does the last of several.
    """
    if num_samples is None:
        num_samples, join = num_samples_at_speed(pool.num_samples[positions[0]], speed), False
    left = wanted = math.ceil(num_samples * speed)
    pieces: list[Piece] = []
    while left > 0 and (not pieces or (join and (repeat or len(pieces) < len(positions)))):
        position = positions[len(pieces) % len(positions)]
        length = pool.num_samples[position]
        taken = min(length, left)
        pieces.append(Piece(pool.utterances[position], int(rng.integers(length - taken + 1)), taken))
        left -= taken
    return Passage(spk, tuple(pieces), min(num_samples, num_samples_at_speed(wanted - left, speed)), speed=speed)


def read_passage(passage: Passage, read: Read) -> np.ndarray:
    """Its samples without room, offset and gain, float32 (passage.num_samples,).

    Raises:
        ValueError: if the utterances are shorter than the passage says.
        SilentSignalError: if a stretch that comes and goes is but a pause of what its pieces hold.
    """
    samples = change_speed(_joined(passage, read), passage.speed)
    stop = passage.start + passage.num_samples
    if len(samples) < stop:
        raise ValueError(
            f"utterance {', '.join(passage.utterances)}: the plan needs {stop} samples, found {len(samples)};"
            " plan again if the audio has changed"
        )
    stretch = samples[passage.start : stop]
    if passage.fade is None:
        return stretch
    if not power(stretch) > AUDIBLE * power(samples):
        raise SilentSignalError(f"stretch is a pause ({', '.join(passage.utterances)})")
    return _faded(stretch, passage.fade)


def read_activity(passage: Passage, voiced: Read) -> np.ndarray:
    """Bool (passage.num_samples,): which of its samples are voiced, as ``voiced`` says of those of the utterances."""
    on = _joined(passage, voiced)
    samples = (np.arange(passage.num_samples) + passage.start) * passage.speed
    return on[np.minimum(samples, len(on) - 1).astype(int)]


def _faded(samples: np.ndarray, fade: int) -> np.ndarray:
    """With a ramp of ``fade`` samples at either end, or of half of a shorter signal."""
    fade = min(fade, len(samples) // 2)
    ramp = (np.arange(1, fade + 1) / (fade + 1)).astype(np.float32)
    return np.concatenate(
        [ramp * samples[:fade], samples[fade : len(samples) - fade], ramp[::-1] * samples[len(samples) - fade :]]
    )


def _joined(passage: Passage, read: Read) -> np.ndarray:
    parts = [
        read(piece.utt, piece.start, None if piece.num_samples is None else piece.start + piece.num_samples)
        for piece in passage.pieces
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
