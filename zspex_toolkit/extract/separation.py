"""Put a recording of any length through the network chunk by chunk, and join what it gives without seams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.extract.calibration import Calibration, energy_db
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.signal.chunk_gains import ChunkEnergies, chunk_gains
from zspex_toolkit.signal.chunks import Chunks, blend_chunks, cut_chunks, plan_chunks

if TYPE_CHECKING:
    from zspex_toolkit.extract.extractor import Extractor

CHUNK_S = 12.0
_SHORTEST_OVERLAP_S = 0.5  # over which the levels of neighbouring chunks are compared
NORMALISATIONS = ("mixture", "peak", "none")


@dataclass(frozen=True)
class Separation:
    """What the network gave for a recording of C channels and Q people, in K chunks.

    Column q C + c is what person q says in channel c.

    Attributes:
        chunks: where they lie.
        estimates: (T, Q C) of each, at the network's own level and polarity.
        energies: (K, Q C) each.
        likeness: (K, Q C), how much the output sounds like the person asked for; NaN where it cannot be told.
        input_gain: (Q C,), what the recording was multiplied by for the network.
        num_channels: C.
    """

    chunks: Chunks
    estimates: MutableSequence[np.ndarray]
    energies: ChunkEnergies
    likeness: np.ndarray
    input_gain: np.ndarray
    num_channels: int

    def blocks(self, person: int = 0, *, as_mixture: bool, usual_gain: float | None) -> Iterator[np.ndarray]:
        """A person's signal in blocks (n, C), at the level it has in the mixture or as the network gave it."""
        columns = self._columns(person)
        energies = ChunkEnergies(*(field[:, columns] for field in vars(self.energies).values()))
        gains = chunk_gains(energies, usual_gain) if as_mixture else np.ones_like(energies.mixture)
        gains = (gains / self.input_gain[columns]).astype(np.float32)
        scaled = (piece[:, columns] * gain for piece, gain in zip(self.estimates, gains, strict=True))
        return blend_chunks(scaled, self.chunks)

    def presence(self, model: Calibration | None, person: int = 0) -> float | None:
        """Probability that a person is in the recording: that of the likeliest chunk; None if it cannot be told."""
        if model is None:
            return None
        columns = self._columns(person)
        estimate = self.energies.estimate[:, columns]
        level = energy_db(estimate, self.energies.mixture[:, columns])
        probabilities = model.probability(level, self.likeness[:, columns])
        probabilities[estimate == 0] = 0.0  # what is silent holds no one
        return None if np.isnan(probabilities).all() else float(np.nanmax(probabilities))

    def _columns(self, person: int) -> slice:
        return slice(person * self.num_channels, (person + 1) * self.num_channels)


def separate_blocks(
    extractor: Extractor,
    blocks: Iterable[np.ndarray],
    num_samples: int,
    clue: Clue,
    store: MutableSequence[np.ndarray],
    *,
    chunk_s: float = CHUNK_S,
    input_gain: float | np.ndarray = 1.0,
) -> Separation:
    """Extract people from a recording that arrives in blocks; neighbouring chunks overlap by the network's context.

    Args:
        extractor: the network.
        blocks: (n, C) at the network's rate.
        num_samples: of all of them, per channel.
        clue: Q C rows: row q C + c asks of channel c.
        store: gets the chunks' estimates; a list, or on disk.
        chunk_s: longest chunk in seconds.
        input_gain: what the blocks are multiplied by for the network, of all channels or each (C,); what it gives is
            divided by it.

    Raises:
        ConfigError: for chunks of less than 1 s.
    """
    if not chunk_s >= 1:
        raise ConfigError(f"chunk_s: expected 1 second or more, got {chunk_s:g}")
    longest = round(chunk_s * extractor.fs)
    overlap = max(extractor.network.context_samples, round(_SHORTEST_OVERLAP_S * extractor.fs))
    chunks = plan_chunks(num_samples, longest, min(overlap, longest // 2))
    rows: list[np.ndarray] = []
    tail: np.ndarray | None = None
    for batch in _batches(cut_chunks(blocks, chunks), max(1, extractor.batch_size // len(clue))):
        mixtures = np.stack(batch) * np.asarray(input_gain, np.float32)  # (B, T, C)
        num_channels = mixtures.shape[2]
        flat = mixtures.transpose(0, 2, 1).reshape(-1, mixtures.shape[1])  # (B C, T)
        order = np.arange(len(clue)).reshape(-1, 1, num_channels).repeat(len(batch), 1)  # (Q, B, C)
        estimates, likeness = extractor.separate(flat, clue[torch.from_numpy(order.ravel())])
        num_people = len(clue) // num_channels
        estimates = estimates.reshape(num_people, len(batch), num_channels, -1).transpose(1, 3, 0, 2)  # (B, T, Q, C)
        likeness = likeness.reshape(num_people, len(batch), num_channels).transpose(1, 0, 2)  # (B, Q, C)
        for mixture, estimate, like in zip(mixtures, estimates, likeness, strict=True):
            mixture, estimate = np.tile(mixture, num_people), estimate.reshape(len(mixture), -1)  # (T, Q C)
            rows.append(np.stack([*_energies(mixture, estimate, tail, chunks.overlap), like.ravel()]))
            store.append(estimate)
            tail = estimate[len(estimate) - chunks.overlap :]
    columns = np.stack(rows, axis=1)  # (7, K, Q C)
    gains = np.tile(np.broadcast_to(np.asarray(input_gain, np.float64), num_channels), num_people)
    return Separation(chunks, store, ChunkEnergies(*columns[:6]), columns[6], gains, num_channels)


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
