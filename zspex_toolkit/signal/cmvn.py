"""Mean normalisation over a sliding window; equal to Kaldi's ``apply-cmvn-sliding --center=true``."""

import torch
from torch import Tensor


def sliding_cmvn(feats: Tensor, num_frames: Tensor | None = None, *, window: int = 300) -> Tensor:
    """Subtract from every frame the mean over the window around it; at the ends the window is shifted inwards.

    Args:
        feats: (B, L, F).
        num_frames: (B,) valid frames; all L if None.
        window: frames in the window.

    Returns:
        (B, L, F), zero beyond the frames of a row.

    >>> sliding_cmvn(torch.tensor([[[1.], [2.], [6.], [4.]]]), window=2)[0, :, 0]
    tensor([-0.5000,  0.5000,  2.0000, -1.0000])
    """
    frame = torch.arange(feats.shape[1], device=feats.device)
    if num_frames is None:
        num_frames = torch.full((len(feats),), feats.shape[1])
    count = num_frames.to(feats.device)[:, None]  # (B, 1)
    start = torch.minimum((frame - window // 2).clamp(min=0), (count - window).clamp(min=0))  # (B, L)
    end = torch.minimum(start + window, count)
    valid = (frame < count)[..., None]
    exact = torch.where(valid, feats, 0).double()  # sums over an hour need the digits
    mean = _sum_between(exact, start, end) / (end - start).clamp(min=1)[..., None]
    return torch.where(valid, exact - mean, 0).to(feats.dtype)


def _sum_between(values: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Sums of (B, L, F) over frames start..end-1, both (B, L)."""
    total = torch.nn.functional.pad(values.cumsum(dim=1), (0, 0, 1, 0))
    start, end = (index[..., None].expand(-1, -1, values.shape[-1]) for index in (start, end))
    return total.gather(1, end) - total.gather(1, start)
