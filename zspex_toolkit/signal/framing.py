"""Where frames lie in a signal: their number and first samples, with Kaldi's two rules for the edges.

``snip_edges``: only frames that lie fully within the signal. Otherwise a frame per shift, centred on it,
over the signal mirrored at both ends (``feat/feature-window.cc``).
"""

import torch
from torch import Tensor


def count_frames(num_samples, *, frame_length: int, frame_shift: int, snip_edges: bool = True):
    """Number of frames of signals of ``num_samples`` (int or integer tensor).

    >>> count_frames(16000, frame_length=400, frame_shift=160)
    98
    >>> count_frames(16000, frame_length=400, frame_shift=160, snip_edges=False)
    100
    """
    if not snip_edges:
        return (num_samples + frame_shift // 2) // frame_shift
    if isinstance(num_samples, Tensor):
        return (1 + (num_samples - frame_length) // frame_shift).clamp(min=0)
    return max(0, 1 + (num_samples - frame_length) // frame_shift)


def mirror_edges(waveforms: Tensor, num_samples: Tensor, *, before: int, after: int) -> Tensor:
    """Extend every signal by its mirror image, the edge samples repeated, at its own two ends.

    Args:
        waveforms: (B, T), row b valid up to ``num_samples[b]``.
        num_samples: (B,), at least 1.
        before, after: number of samples to add.

    Returns:
        (B, before + T + after); after the mirrored samples of a shorter row follow zeros.

    >>> mirror_edges(torch.tensor([[1., 2., 3., 0.]]), torch.tensor([3]), before=2, after=2)
    tensor([[2., 1., 1., 2., 3., 3., 2., 0.]])
    """
    valid = torch.arange(waveforms.shape[1], device=waveforms.device) < num_samples[:, None]
    out = torch.nn.functional.pad(torch.where(valid, waveforms, 0), (before, after))
    length = num_samples[:, None]
    left = torch.arange(-before, 0, device=waveforms.device).expand(len(waveforms), -1)
    right = length + torch.arange(after, device=waveforms.device)
    position = torch.cat([left, right], dim=1)
    period = position % (2 * length)  # the mirrored signal repeats after twice its length
    source = torch.where(period < length, period, 2 * length - 1 - period)
    return out.scatter(1, position + before, waveforms.gather(1, source))
