"""Time-delay layers: an affine transform of a window of frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def pad_edges(feats: Tensor, num_frames: Tensor | None, context: int) -> Tensor:
    """Repeat the first and the last true frame ``context`` times, as Kaldi does at the edges of an utterance.

    Behind it convolutions need no padding of their own, so what lies behind an utterance in a padded batch never
    reaches its true frames: a batch gives exactly what its utterances give alone.

    Args:
        feats: (B, L, F).
        num_frames: (B,) true frames of each utterance; None if all L are.
        context: frames to add on either side.

    Returns:
        (B, L + 2 * context, F).
    """
    length = feats.shape[1]
    index = torch.arange(-context, length + context, device=feats.device).clamp(min=0)[None]  # (1, L + 2 context)
    last = torch.full_like(index[:, :1], length - 1) if num_frames is None else num_frames.to(feats.device)[:, None] - 1
    index = torch.minimum(index, last)  # (B or 1, L + 2 context)
    if num_frames is None:
        return feats[:, index[0]]
    return torch.gather(feats, 1, index[:, :, None].expand(-1, -1, feats.shape[2]))


class TdnnLayer(nn.Module):
    """Affine transform of a window of frames, ReLU, batch normalisation.

    Args:
        in_channels, out_channels: frame width before and after.
        context: frames on either side; the layer sees t - context .. t + context, and gives 2 * context fewer frames.
        stride: frames from one window to the next.
    """

    def __init__(self, in_channels: int, out_channels: int, context: int = 0, stride: int = 1):
        super().__init__()
        self.affine = nn.Conv1d(in_channels, out_channels, 2 * context + 1, stride)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, L) to (B, C', (L - 2 * context - 1) // stride + 1)."""
        return self.norm(torch.relu(self.affine(frames)))


class ResidualTdnnBlock(nn.Module):
    """Two time-delay layers, [t-2..t+2] then [t], added to the block's input.

    Source: Shi & Hain, arXiv 2001.06397, Section 3.
    """

    def __init__(self, channels: int, context: int = 2):
        super().__init__()
        self.context = context
        self.wide = TdnnLayer(channels, channels, context)
        self.narrow = TdnnLayer(channels, channels)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L - 2 * context)."""
        kept = frames[:, :, self.context : frames.shape[2] - self.context]
        return kept + self.narrow(self.wide(frames))
