"""Random segments of fixed length, and batches of whole utterances."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def random_segment(feats: Tensor, num_frames: int, rng: np.random.Generator) -> Tensor:
    """A segment of ``num_frames`` frames at a random place; a shorter utterance is repeated until it is long enough.

    Args:
        feats: (L, F), L >= 1.
        num_frames: frames wanted; 0 for the whole utterance.
        rng: where the place comes from.

    Returns:
        (num_frames, F), or (L, F) if ``num_frames`` is 0.
    """
    if num_frames == 0:
        return feats
    if len(feats) < num_frames:
        feats = feats.repeat(-(-num_frames // len(feats)), 1)
    start = int(rng.integers(0, len(feats) - num_frames + 1))
    return feats[start : start + num_frames]


def pad_batch(utterances: list[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Stack (L_i, F) utterances to (B, L, F), zeros behind the shorter ones, and their true frames (B,).

    The frames are None if all utterances have the same length, which spares the networks their masks.
    """
    lengths = [len(feats) for feats in utterances]
    if len(set(lengths)) == 1:
        return torch.stack(utterances), None
    return torch.nn.utils.rnn.pad_sequence(utterances, batch_first=True), torch.tensor(lengths)


def batches_by_length(lengths: list[int], max_frames: int) -> list[list[int]]:
    """Indices grouped so that utterances of like length share a batch of at most ``max_frames`` padded frames."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    batches: list[list[int]] = []
    for index in order:
        if batches and (len(batches[-1]) + 1) * lengths[index] <= max_frames:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
