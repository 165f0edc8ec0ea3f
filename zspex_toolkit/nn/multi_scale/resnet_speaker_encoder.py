"""ResNet speaker encoder: frames of an enrollment to one embedding."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from zspex_toolkit.nn.pointwise import Pointwise, Rectifier

POOLING = 3  # frames to one, in each block


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch norm over the true frames of (B, L, C); in evaluation, and if all frames are true, as ``BatchNorm1d``."""

    def forward(self, frames: Tensor, true: Tensor | None = None) -> Tensor:
        """(B, L, C), and which frames are true, (B, L, 1) bool or None for all, to (B, L, C)."""
        with torch.autocast(frames.device.type, enabled=False):
            if true is None or not self.training:
                out = super().forward(frames.float().flatten(0, 1)).view_as(frames)
            else:
                out = self._over_true_frames(frames.float(), true)
        return out.to(frames.dtype)

    def _over_true_frames(self, frames: Tensor, true: Tensor) -> Tensor:
        count = true.sum().clamp(min=1)
        mean = (frames * true).sum((0, 1)) / count  # (C,)
        centred = frames - mean
        variance = (centred.square() * true).sum((0, 1)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
        return torch.addcmul(self.bias, centred, self.weight * (variance + self.eps).rsqrt())


class ResNetBlock(nn.Module):
    """Conv1x1, batch norm, PReLU, Conv1x1, batch norm, added to the input, PReLU, maximum of every three frames.

    Args:
        in_channels, out_channels: frame width before and after; if they differ, the input goes through a Conv1x1.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = Pointwise(in_channels, out_channels, bias=False)
        self.norm1 = MaskedBatchNorm(out_channels)
        self.activation1 = Rectifier()
        self.conv2 = Pointwise(out_channels, out_channels, bias=False)
        self.norm2 = MaskedBatchNorm(out_channels)
        self.activation2 = Rectifier()
        self.skip = nn.Identity()
        if in_channels != out_channels:
            self.skip = Pointwise(in_channels, out_channels, bias=False)

    def forward(self, frames: Tensor, num_frames: Tensor | None) -> Tensor:
        """(B, L, C) with (B,) true frames to (B, L // 3, C')."""
        true = None if num_frames is None else _true(num_frames, frames)
        hidden = self.activation1(self.norm1(self.conv1(frames), true))
        hidden = self.activation2(self.norm2(self.conv2(hidden), true) + self.skip(frames))
        whole = hidden.shape[1] // POOLING * POOLING
        return hidden[:, :whole].unflatten(1, (-1, POOLING)).amax(2)


class ResNetSpeakerEncoder(nn.Module):
    """Three residual blocks, Conv1x1, mean over the true frames.

    Args:
        channels: C of the frames, and width of the first block.
        hidden: width of the other two.
        embedding_dim: D.

    Source: Ge et al., "SpEx+", Interspeech 2020, Figure 2; widths and pooling as in the authors' code.
    """

    min_frames = POOLING**3  # fewer leave nothing to take the mean of

    def __init__(self, channels: int, hidden: int, embedding_dim: int):
        super().__init__()
        widths = (channels, channels, hidden, hidden)
        self.blocks = nn.ModuleList(ResNetBlock(before, after) for before, after in itertools.pairwise(widths))
        self.project = Pointwise(hidden, embedding_dim)

    def forward(self, frames: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Embed.

        Args:
            frames: (B, L, C), L >= ``min_frames``.
            num_frames: (B,) true frames, each at least ``min_frames``; None if all L are.

        Returns:
            (B, D), in single precision.
        """
        assert frames.shape[1] >= self.min_frames, "too few frames leave none to take the mean of"
        for block in self.blocks:
            frames = block(frames, num_frames)
            if num_frames is not None:  # a maximum counts if all it is taken over is true
                num_frames = torch.div(num_frames, POOLING, rounding_mode="floor")
        frames = self.project(frames).float()
        if num_frames is None:
            return frames.mean(1)
        return (frames * _true(num_frames, frames)).sum(1) / num_frames.clamp(min=1)[:, None]


def _true(num_frames: Tensor, frames: Tensor) -> Tensor:
    """Which frames of (B, L, C) are true, (B, L, 1)."""
    return torch.arange(frames.shape[1], device=frames.device)[:, None] < num_frames[:, None, None]
