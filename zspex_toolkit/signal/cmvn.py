"""Mean and variance normalisation over a sliding window; equal to Kaldi's ``apply-cmvn-sliding``."""

import torch
from torch import Tensor

VARIANCE_FLOOR = 1e-10


def sliding_cmvn(
    feats: Tensor,
    num_frames: Tensor | None = None,
    *,
    window: int = 300,
    center: bool = True,
    normalize_variance: bool = False,
    min_window: int = 100,
) -> Tensor:
    """Subtract from every frame the mean over the window around it; at the ends the window is shifted inwards.

    Args:
        feats: (B, L, F).
        num_frames: (B,) valid frames; all L if None.
        window: frames in the window.
        center: the window lies around the frame; otherwise it ends with the frame.
        normalize_variance: also divide by the standard deviation; a window of one frame gives zero.
        min_window: without ``center``, the first frames see at least this many frames.

    Returns:
        (B, L, F), zero beyond the frames of a row.

    >>> sliding_cmvn(torch.tensor([[[1.], [2.], [6.], [4.]]]), window=2)[0, :, 0]
    tensor([-0.5000,  0.5000,  2.0000, -1.0000])
    """
    longest = feats.shape[1]
    if num_frames is None:
        num_frames = torch.full((len(feats),), longest, device=feats.device)
    count = num_frames.to(feats.device)[:, None]  # (B, 1)
    start, end = _window(torch.arange(longest, device=feats.device), count, window, center, min_window)
    size = (end - start).clamp(min=1)[..., None]  # (B, L, 1)
    valid = (torch.arange(longest, device=feats.device) < count)[..., None]
    exact = torch.where(valid, feats, 0).double()  # sums over an hour need the digits
    mean = _sum_between(exact, start, end) / size
    out = exact - mean
    if normalize_variance:
        variance = _sum_between(exact.square(), start, end) / size - mean.square()
        out = torch.where(size > 1, out / variance.clamp(min=VARIANCE_FLOOR).sqrt(), 0)
    return torch.where(valid, out, 0).to(feats.dtype)


def _window(frame: Tensor, count: Tensor, window: int, center: bool, min_window: int) -> tuple[Tensor, Tensor]:
    """First frame of every window and the one after its last, (B, L) each."""
    start = frame - window // 2 if center else frame - window
    end = start + window if center else frame + 1
    shift = (-start).clamp(min=0)
    start, end = start + shift, end + shift
    if not center:
        end = (frame + 1).clamp(min=min_window)
    excess = (end - count).clamp(min=0)  # (B, L)
    start, end = (start - excess).clamp(min=0), end - excess
    return torch.minimum(start, end), end


def _sum_between(values: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Sums of (B, L, F) over frames start..end-1, both (B, L)."""
    total = torch.nn.functional.pad(values.cumsum(dim=1), (0, 0, 1, 0))
    start, end = (index[..., None].expand(-1, -1, values.shape[-1]) for index in (start, end))
    return total.gather(1, end) - total.gather(1, start)
