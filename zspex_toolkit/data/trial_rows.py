"""Rows of extraction batches: a mixture, the target in it, enrollment of the target's speaker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

NO_SPEAKER = -1  # in place of a class: not one of the training speakers


class TrialRow(NamedTuple):
    """One mixture and who is asked for."""

    id: str
    mixture: np.ndarray  # float32 (T,)
    target: np.ndarray  # float32 (T,), silent where the enrolled speaker is absent
    enrollment: np.ndarray  # float32 (U,)
    speaker: int  # class of the enrolled speaker, or NO_SPEAKER
    present: bool  # whether the enrolled speaker is in the mixture
    alone: bool = False  # whether the target is all the speech there is
    speaker_only: bool = False  # to learn who speaks in the enrollment, and nothing of the mixture
    sources: Sequence[np.ndarray] | None = None  # float32 (T,) each: all speech in the mixture; None: not known
    clue_embedding: np.ndarray | None = None  # float32 (D,), in the place of a clue that the network makes itself


def collate_rows(items: Sequence[Sequence[TrialRow]]) -> dict[str, Any]:
    """A batch of M mixtures, of each of which Q people are asked: row r of R = Q M asks of mixture r % M.

    Args:
        items: Q rows each, of one mixture.

    Returns:
        ``mixture`` (M, T); ``ids``, ``target`` (R, T), ``enrollment`` (R, U), ``speaker`` (R,) int64, ``present`` and
        ``alone`` (R,) bool, ``speaker_only`` (bool, for all rows); only where lengths differ, ``num_samples`` (M,) and
        ``enrollment_length`` (R,) int64; only where rows have one, ``clue_embedding`` (R, D); only where all rows have
        them, ``sources`` (M, S, T): all speech in each mixture, in any order, silence for the speakers whom others have
        more. Shorter signals are padded with zeros at their end.
    """
    mixture, num_samples = _stack([rows[0].mixture for rows in items])
    rows = [row for role in zip(*items, strict=True) for row in role]
    target, _ = _stack([row.target for row in rows])
    enrollment, enrollment_length = _stack([row.enrollment for row in rows])
    batch = {
        "ids": [row.id for row in rows],
        "mixture": mixture,
        "target": target,
        "enrollment": enrollment,
        "speaker": torch.tensor([row.speaker for row in rows]),
        "present": torch.tensor([row.present for row in rows]),
        "alone": torch.tensor([row.alone for row in rows]),
        "speaker_only": all(row.speaker_only for row in rows),
    }
    if all(asked[0].sources is not None for asked in items):
        batch["sources"] = _stack_sources([asked[0].sources for asked in items], mixture.shape[1])
    if rows[0].clue_embedding is not None:
        batch["clue_embedding"] = torch.from_numpy(np.stack([row.clue_embedding for row in rows]))
    lengths = {"num_samples": num_samples, "enrollment_length": enrollment_length}
    return batch | {name: value for name, value in lengths.items() if value is not None}


def _stack(signals: list[np.ndarray]) -> tuple[Tensor, Tensor | None]:
    """(B, T) and the true lengths (B,); None if they are all the same."""
    lengths = [len(signal) for signal in signals]
    stacked = np.zeros((len(signals), max(lengths)), dtype=np.float32)
    for row, signal in zip(stacked, signals, strict=True):
        row[: len(signal)] = signal
    return torch.from_numpy(stacked), torch.tensor(lengths) if len(set(lengths)) > 1 else None


def _stack_sources(mixtures: list[Sequence[np.ndarray]], num_samples: int) -> Tensor:
    """(M, S, T), of the largest number of sources."""
    stacked = np.zeros((len(mixtures), max(map(len, mixtures)), num_samples), dtype=np.float32)
    for rows, sources in zip(stacked, mixtures, strict=True):
        for row, source in zip(rows, sources, strict=False):
            row[: len(source)] = source
    return torch.from_numpy(stacked)
