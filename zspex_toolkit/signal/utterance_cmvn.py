"""Mean and variance normalisation over whole utterances."""

from __future__ import annotations

import torch
from torch import Tensor


def utterance_cmvn(feats: Tensor, num_frames: Tensor | None = None, *, eps: float = 1e-3) -> Tensor:
    """Each feature of each row with mean 0 and standard deviation 1 over the frames of the row.

    Args:
        feats: (B, L, F).
        num_frames: (B,) valid frames; all L if None.
        eps: smallest standard deviation that is divided by; a constant feature becomes 0.

    Returns:
        (B, L, F), zero beyond the frames of a row.

    >>> utterance_cmvn(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2]))[0, :, 0]
    tensor([-1.,  1.,  0.])
    """
    valid = frame_mask(num_frames, feats.shape[1], feats.device)[..., None]  # (1 or B, L, 1)
    count = valid.sum(dim=1, keepdim=True).clamp(min=1)
    mean = torch.where(valid, feats, 0).sum(dim=1, keepdim=True) / count
    centred = torch.where(valid, feats - mean, 0)
    deviation = (centred.square().sum(dim=1, keepdim=True) / count).sqrt()
    return centred / deviation.clamp(min=eps)


def frame_mask(num_frames: Tensor | None, length: int, device: torch.device) -> Tensor:
    """(B, length) true where a frame is of its row; (1, length) if all are.

    >>> frame_mask(torch.tensor([1, 3]), 3, torch.device("cpu")).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    frame = torch.arange(length, device=device)
    if num_frames is None:
        return torch.ones_like(frame, dtype=torch.bool)[None]
    return frame < num_frames.to(device)[:, None]
