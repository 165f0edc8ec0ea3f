"""Mean and standard deviation over the frames of an utterance."""

from __future__ import annotations

import torch
from torch import Tensor


def statistics_pooling(frames: Tensor, num_frames: Tensor | None = None, *, eps: float = 1e-5) -> Tensor:
    """Mean and standard deviation over the true frames.

    Args:
        frames: (B, C, L).
        num_frames: (B,) true frames, each at least 1; None if all L are.
        eps: least variance, so that the gradient of a constant channel is finite.

    Returns:
        (B, 2C): means, then standard deviations (population).

    Source: Snyder et al., "X-vectors", ICASSP 2018.

    >>> statistics_pooling(torch.tensor([[[1.0, 3.0, 100.0]]]), torch.tensor([2]))
    tensor([[2., 1.]])
    """
    frames = frames.float()  # sums over hundreds of frames are too long for half precision
    if num_frames is None:
        variance, mean = torch.var_mean(frames, 2, unbiased=False)
    else:
        count = num_frames.to(frames.device, frames.dtype)[:, None]
        true = torch.arange(frames.shape[2], device=frames.device)[None] < num_frames.to(frames.device)[:, None]
        mask = true[:, None].to(frames.dtype)  # (B, 1, L)
        mean = (frames * mask).sum(2) / count
        variance = ((frames - mean[:, :, None]).square() * mask).sum(2) / count
    return torch.cat([mean, variance.clamp(min=eps).sqrt()], 1)
