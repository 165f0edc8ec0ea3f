"""Fusers: the encodings of all scales to one sequence of frames."""

from __future__ import annotations

from torch import Tensor, nn

from zspex_toolkit.nn.channel_norm import ChannelNorm
from zspex_toolkit.nn.pointwise import Pointwise
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.tac import TransformAverageConcatenate


class PlainFuser(nn.Module):
    """Concatenate the scales, layer norm of each frame, Conv1x1.

    Args:
        num_scales: S.
        num_filters: N of each scale.
        channels: C of the output.

    Source: Ge et al., "SpEx+", Interspeech 2020.
    """

    def __init__(self, num_scales: int, num_filters: int, channels: int):
        super().__init__()
        self.norm = ChannelNorm(num_scales * num_filters)
        self.project = Pointwise(num_scales * num_filters, channels)

    def forward(self, scales: Tensor, num_frames: Tensor | None = None, memory: Memory | None = None) -> Tensor:
        """(B, S, L, N) to (B, L, C); each frame for itself, so the true number and the past of frames are unused."""
        return self.project(self.norm(scales.transpose(1, 2).flatten(2)))


class ScaleInterFuser(nn.Module):
    """The scales exchange what they have in common, then are fused as by ``PlainFuser``.

    Args:
        num_scales, num_filters, channels: as of ``PlainFuser``.
        exchange: (B, S, L, N), true number of frames and memory to (B, S, L, N).

    Source: Chen et al., "MC-SpEx", Interspeech 2023; what is within the box is a reading.
    """

    def __init__(self, num_scales: int, num_filters: int, channels: int, exchange: TransformAverageConcatenate):
        super().__init__()
        self.exchange = exchange
        self.fuse = PlainFuser(num_scales, num_filters, channels)

    def forward(self, scales: Tensor, num_frames: Tensor | None = None, memory: Memory | None = None) -> Tensor:
        """(B, S, L, N) to (B, L, C); see ``TransformAverageConcatenate`` for the other arguments."""
        return self.fuse(self.exchange(scales, num_frames, memory))
