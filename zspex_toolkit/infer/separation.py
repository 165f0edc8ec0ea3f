"""Put a recording of any length through the network chunk by chunk, and join what it gives without seams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.infer.calibration import Calibration, energy_db
from zspex_toolkit.signal.chunk_gains import ChunkEnergies, chunk_gains
from zspex_toolkit.signal.chunks import Chunks, blend_chunks, cut_chunks, plan_chunks

CHUNK_S = 12.0
_OVERLAP = 1 / 6  # of a chunk; in 2 s the network's 1.3 s of context on either side fit
NORMALISATIONS = ("mixture", "peak", "none")


class Separator(Protocol):
    """What is needed of :class:`zspex_toolkit.infer.extractor.Extractor`."""

    fs: int
    batch_size: int

    def separate(self, mixtures: np.ndarray, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class Separation:
    """What the network gave for a recording of C channels, in K chunks.

    Attributes:
        chunks: where they lie.
        estimates: (T, C) of each, at the network's own level and polarity.
        energies: (K, C) each.
        cosines: (K, C) between the embeddings of output and enrollment; NaN where there is none.
        input_gain: what the recording was multiplied by for the network.
    """

    chunks: Chunks
    estimates: MutableSequence[np.ndarray]
    energies: ChunkEnergies
    cosines: np.ndarray
    input_gain: float

    def blocks(self, *, as_mixture: bool, usual_gain: float | None) -> Iterator[np.ndarray]:
        """The extracted signal in blocks (n, C), at the level it has in the mixture or as the network gave it."""
        gains = np.ones_like(self.energies.mixture)
        if as_mixture:
            gains = chunk_gains(self.energies, usual_gain)
        gains = (gains / self.input_gain).astype(np.float32)
        scaled = (piece * gain for piece, gain in zip(self.estimates, gains, strict=True))
        return blend_chunks(scaled, self.chunks)

    def presence(self, model: Calibration | None) -> float | None:
        """Probability that the speaker is in the recording: that of the likeliest chunk; None if it cannot be told."""
        if model is None:
            return None
        level = energy_db(self.energies.estimate, self.energies.mixture)
        probabilities = model.probability(level, self.cosines)
        # What is silent holds no one, and has no embedding either.
        probabilities[(self.energies.estimate == 0) & np.isnan(probabilities)] = 0.0
        return None if np.isnan(probabilities).all() else float(np.nanmax(probabilities))


def separate_blocks(
    separator: Separator,
    blocks: Iterable[np.ndarray],
    num_samples: int,
    embedding: np.ndarray,
    store: MutableSequence[np.ndarray],
    *,
    chunk_s: float = CHUNK_S,
    input_gain: float = 1.0,
) -> Separation:
    """Extract the speaker from a recording that arrives in blocks.

    Args:
        separator: the network.
        blocks: (n, C) at the network's rate.
        num_samples: of all of them, per channel.
        embedding: (D,) of the speaker.
        store: gets the chunks' estimates; a list, or on disk.
        chunk_s: longest chunk in seconds.
        input_gain: what the blocks are multiplied by for the network; what it gives is divided by it.

    Raises:
        ConfigError: for chunks of less than 1 s.
    """
    if not chunk_s >= 1:
        raise ConfigError(f"chunk_s: expected 1 second or more, got {chunk_s:g}")
    longest = round(chunk_s * separator.fs)
    chunks = plan_chunks(num_samples, longest, round(longest * _OVERLAP))
    rows: list[np.ndarray] = []
    tail: np.ndarray | None = None
    for batch in _batches(cut_chunks(blocks, chunks), separator.batch_size):
        mixtures = np.stack(batch) * np.float32(input_gain)  # (B, T, C)
        num_channels = mixtures.shape[2]
        flat = mixtures.transpose(0, 2, 1).reshape(-1, mixtures.shape[1])  # (B C, T)
        estimates, cosines = separator.separate(flat, np.repeat(embedding[None], len(flat), axis=0))
        estimates = estimates.reshape(len(batch), num_channels, -1).transpose(0, 2, 1)  # (B, T, C)
        for mixture, estimate, cosine in zip(mixtures, estimates, cosines.reshape(-1, num_channels), strict=True):
            rows.append(np.stack([*_energies(mixture, estimate, tail, chunks.overlap), cosine]))
            store.append(estimate)
            tail = estimate[len(estimate) - chunks.overlap :]
    columns = np.stack(rows, axis=1)  # (7, K, C)
    return Separation(chunks, store, ChunkEnergies(*columns[:6]), columns[6], input_gain)


def check_normalisation(name: str) -> None:
    """Refuse what is no way to set the output's level.

    Raises:
        ConfigError: naming the ways there are.
    """
    if name not in NORMALISATIONS:
        raise ConfigError(f"normalize_output: expected one of {', '.join(NORMALISATIONS)}, got '{name}'")


def _batches(chunks: Iterable[np.ndarray], batch_size: int) -> Iterator[list[np.ndarray]]:
    """Neighbours of one length, for the network to take at once."""
    batch: list[np.ndarray] = []
    for chunk in chunks:
        if batch and (len(batch) == batch_size or len(chunk) != len(batch[0])):
            yield batch
            batch = []
        batch.append(chunk)
    yield batch


def _energies(mixture: np.ndarray, estimate: np.ndarray, tail: np.ndarray | None, overlap: int) -> list[np.ndarray]:
    """The six fields of :class:`ChunkEnergies` of one chunk, (C,) each; ``tail`` is the end of the chunk before."""
    head = estimate[:overlap]
    head, tail = (0 * head, 0 * head) if tail is None else (head, tail)
    pairs = ((mixture, mixture), (estimate, estimate), (mixture, estimate), (tail, tail), (head, head), (tail, head))
    return [np.einsum("tc,tc->c", one, other, dtype=np.float64) for one, other in pairs]
