"""Equal, overlapping chunks of a signal of any length, cut from a stream and blended into one again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chunks:
    """Where the chunks of a signal lie; all are ``length`` samples but the last, which may lack a few.

    Attributes:
        num_samples: of the signal.
        length: of a chunk.
        overlap: samples that a chunk shares with the one before it.
    """

    num_samples: int
    length: int
    overlap: int

    def __len__(self) -> int:
        return 1 if self.num_samples <= self.length else -(-(self.num_samples - self.overlap) // self.hop)

    @property
    def hop(self) -> int:
        """Samples from the start of a chunk to that of the next."""
        return self.length - self.overlap


def plan_chunks(num_samples: int, longest: int, overlap: int) -> Chunks:
    """As few chunks of at most ``longest`` samples as there can be, as equal as they can be.

    Equal, because a network that normalises over time treats a short remainder otherwise than the rest.

    Args:
        num_samples: of the signal.
        longest: samples of a chunk.
        overlap: samples that neighbours share; at most half of ``longest``, so that no three chunks meet.

    Raises:
        ValueError: for an overlap out of its range, or no samples.

    >>> plan_chunks(22, 10, 2)
    Chunks(num_samples=22, length=9, overlap=2)
    """
    if num_samples < 1 or not 0 <= overlap <= longest // 2:
        raise ValueError(f"expected samples and an overlap of 0 to {longest // 2}, got {num_samples} and {overlap}")
    if num_samples <= longest:
        return Chunks(num_samples, num_samples, 0)
    count = -(-(num_samples - overlap) // (longest - overlap))
    return Chunks(num_samples, -(-(num_samples + (count - 1) * overlap) // count), overlap)


def cut_chunks(blocks: Iterable[np.ndarray], chunks: Chunks) -> Iterator[np.ndarray]:
    """The chunks (T, C) of a signal that arrives in blocks (n, C) of any size.

    Raises:
        ValueError: if the blocks hold fewer samples than planned.
    """
    waiting: list[np.ndarray] = []
    source, held, sent = iter(blocks), 0, 0
    for index in range(len(chunks)):
        wanted = min(chunks.length, chunks.num_samples - index * chunks.hop)
        while held < wanted:
            block = next(source, None)
            if block is None:
                raise ValueError(f"expected {chunks.num_samples} samples, the signal ends after {sent + held}")
            waiting.append(block)
            held += len(block)
        joined = np.concatenate(waiting)
        yield joined[:wanted]
        waiting, held, sent = [joined[chunks.hop :]], held - chunks.hop, sent + chunks.hop


def blend_chunks(pieces: Iterable[np.ndarray], chunks: Chunks) -> Iterator[np.ndarray]:
    """The signal, in blocks (n, C), of its chunks (T, C): where two overlap, one fades into the other.

    The weights of the two add up to 1 at every sample, so chunks that agree are left as they are.
    """
    fade_in = np.sin(np.pi / 2 * (np.arange(chunks.overlap) + 0.5) / max(chunks.overlap, 1))[:, None] ** 2
    fade_in = fade_in.astype(np.float32)
    tail: np.ndarray | None = None
    last = len(chunks) - 1
    for index, piece in enumerate(pieces):
        if tail is not None:
            head = tail * (1 - fade_in) + piece[: chunks.overlap] * fade_in
            piece = np.concatenate([head, piece[chunks.overlap :]])
        kept = len(piece) if index == last else chunks.hop
        yield piece[:kept]
        tail = piece[kept:]
