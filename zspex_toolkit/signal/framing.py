"""Where frames lie in a signal: their number and first samples, with Kaldi's two rules for the edges.

``snip_edges``: only frames that lie fully within the signal. Otherwise a frame per shift, centred on it,
over the signal mirrored at both ends (``feat/feature-window.cc``).
"""

import torch
from torch import Tensor


def count_frames(num_samples: int, *, frame_length: int, frame_shift: int, snip_edges: bool = True) -> int:
    """Number of frames of a signal.

    >>> count_frames(16000, frame_length=400, frame_shift=160)
    98
    >>> count_frames(16000, frame_length=400, frame_shift=160, snip_edges=False)
    100
    """
    if not snip_edges:
        return (num_samples + frame_shift // 2) // frame_shift
    return max(0, 1 + (num_samples - frame_length) // frame_shift)


def mirror_edges(signal: Tensor, starts: Tensor, num_samples: Tensor, *, before: int, after: int) -> None:
    """Fill the samples before and after every utterance with its mirror image, edge samples repeated.

    Args:
        signal: (T,), changed in place.
        starts: (B,) first sample of each utterance, at least ``before``.
        num_samples: (B,) their lengths, at least 1.
        before, after: number of samples to fill.

    >>> signal = torch.tensor([0., 0., 1., 2., 3., 0., 0., 9.])
    >>> mirror_edges(signal, torch.tensor([2]), torch.tensor([3]), before=2, after=2)
    >>> signal
    tensor([2., 1., 1., 2., 3., 3., 2., 9.])
    """
    length = num_samples[:, None]
    left = torch.arange(-before, 0, device=signal.device).expand(len(length), -1)
    right = length + torch.arange(after, device=signal.device)
    position = torch.cat([left, right], dim=1)  # (B, before + after), from the start of the utterance
    period = position % (2 * length)  # the mirrored utterance repeats after twice its length
    source = torch.where(period < length, period, 2 * length - 1 - period)
    signal[position + starts[:, None]] = signal[source + starts[:, None]]
