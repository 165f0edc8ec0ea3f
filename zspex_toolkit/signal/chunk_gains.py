"""One gain for each chunk of an extracted signal, so that its level and polarity are those of the mixture.

Training by SI-SDR leaves level and polarity of what a network gives free, chunk by chunk. With the chunk's mixture m
and estimate e, the target inside m is nearest to the projection of m on e, the gain <m, e> / <e, e>. Chunk by chunk
alone, that would blow the residue in a chunk where the target is silent up to the loudness of the mixture, and leave
steps between chunks. So all gains g_k of a recording are found together, as the minimum of

    sum_k |m_k - g_k e_k|^2  +  4 sum_k c_k (g_(k-1) a_k - g_k b_k)^2  +  0.01 sum_k |m_k|^2 (g_k / G - 1)^2

a_k and b_k are the norms of the two estimates on the overlap of chunks k-1 and k, which should come out equally loud;
c_k = (p / max(a^2, b^2))^2 with their product p is 1 if they are the same there, and near 0 if they are different sound
or of quite different levels: then one of them is wrong, and tells nothing of the other's level. G is the usual gain of
the network, or that of the whole recording: a chunk with hardly any output keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_OVERLAP_WEIGHT = 4.0
_USUAL_WEIGHT = 0.01


@dataclass(frozen=True)
class ChunkEnergies:
    """Energies and products of mixture and estimate, (K,) for K chunks, or (K, C) for each of C channels.

    Attributes:
        mixture: |m_k|^2.
        estimate: |e_k|^2.
        product: <m_k, e_k>.
        overlap_before: energy of the estimate before, on the overlap with it; 0 for the first.
        overlap: energy of this estimate there.
        overlap_product: product of the two there.
    """

    mixture: np.ndarray
    estimate: np.ndarray
    product: np.ndarray
    overlap_before: np.ndarray
    overlap: np.ndarray
    overlap_product: np.ndarray


def chunk_gains(energies: ChunkEnergies, usual_gain: float | None = None) -> np.ndarray:
    """The gains, shaped as the energies; 0 where mixture or estimate are silent throughout.

    Args:
        energies: of every chunk.
        usual_gain: G, above 0; that of the whole recording if None.

    >>> one = ChunkEnergies(*(np.array([value]) for value in (8.0, 2.0, -4.0, 0.0, 0.0, 0.0)))
    >>> chunk_gains(one)                                  # <m, e> / <e, e>
    array([-2.])
    """
    if energies.mixture.ndim == 2:
        columns = [
            ChunkEnergies(*(field[:, channel] for field in vars(energies).values()))
            for channel in range(energies.mixture.shape[1])
        ]
        return np.stack([chunk_gains(column, usual_gain) for column in columns], axis=1)
    total = energies.estimate.sum()
    if not (total > 0 and energies.mixture.sum() > 0):
        return np.zeros(len(energies.mixture))
    usual = usual_gain or max(np.abs(energies.product).sum() / total, 1e-6)
    signs = _signs(energies, usual)
    return signs * _solve(energies, signs, usual)


def _signs(energies: ChunkEnergies, usual: float) -> np.ndarray:
    """+1 or -1 of each chunk: with the mixture, and with the chunk before on their overlap."""
    signs = np.ones(len(energies.mixture))
    before = 0.0  # the first chunk has none
    for index, product in enumerate(energies.product):
        evidence = product + _OVERLAP_WEIGHT * usual * before * energies.overlap_product[index]
        before = signs[index] = -1.0 if evidence < 0 else 1.0
    return signs


def _solve(energies: ChunkEnergies, signs: np.ndarray, usual: float) -> np.ndarray:
    """The minimum of the module's sum: its normal equations have three diagonals."""
    # A chunk of digital silence would have no equation of its own.
    mixture = energies.mixture + 1e-6 * energies.mixture.mean()
    louder = np.maximum(np.maximum(energies.overlap_before, energies.overlap), 1e-30)
    weight = _OVERLAP_WEIGHT * (energies.overlap_product / louder) ** 2
    diagonal = energies.estimate + _USUAL_WEIGHT * mixture / usual**2 + weight * energies.overlap
    diagonal[:-1] += (weight * energies.overlap_before)[1:]
    beside = -(weight * np.sqrt(energies.overlap * energies.overlap_before))[1:]
    right = signs * energies.product + _USUAL_WEIGHT * mixture / usual
    return _solve_tridiagonal(diagonal, beside, right)


def _solve_tridiagonal(diagonal: np.ndarray, beside: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x of the symmetric system with these two diagonals, by Gauss without pivots: the matrix is positive definite."""
    diagonal, right = diagonal.copy(), right.copy()
    for index, value in enumerate(beside, start=1):
        factor = value / diagonal[index - 1]
        diagonal[index] -= factor * value
        right[index] -= factor * right[index - 1]
    solution = right / diagonal
    for index in range(len(beside) - 1, -1, -1):
        solution[index] -= beside[index] / diagonal[index] * solution[index + 1]
    return solution
