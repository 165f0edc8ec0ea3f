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


def mirror_edges(rows: Tensor, num_samples: Tensor, *, before: int, after: int) -> None:
    """Fill the ``before`` and ``after`` samples around every signal with its mirror image, edge samples repeated.

    Args:
        rows: (B, T'), changed in place; signal b lies at ``before`` .. ``before + num_samples[b]``.
        num_samples: (B,), at least 1.
        before, after: number of samples to fill.

    >>> rows = torch.tensor([[0., 0., 1., 2., 3., 0., 0., 9.]])
    >>> mirror_edges(rows, torch.tensor([3]), before=2, after=2)
    >>> rows
    tensor([[2., 1., 1., 2., 3., 3., 2., 9.]])
    """
    length = num_samples[:, None]
    left = torch.arange(-before, 0, device=rows.device).expand(len(rows), -1)
    right = length + torch.arange(after, device=rows.device)
    position = torch.cat([left, right], dim=1)
    period = position % (2 * length)  # the mirrored signal repeats after twice its length
    source = torch.where(period < length, period, 2 * length - 1 - period)
    rows.scatter_(1, position + before, rows.gather(1, source + before))
