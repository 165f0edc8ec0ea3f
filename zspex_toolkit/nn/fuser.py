"""Fusers: the encodings of all scales to one sequence of frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.nn.channel_norm import ChannelNorm
from zspex_toolkit.nn.fuse_function import FuseFunction
from zspex_toolkit.nn.passes import factor_dtype, true_counts
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
        """(B, S, N, L) to (B, C, L); each frame for itself, so the true number and the past of frames are unused."""
        dtype = factor_dtype(scales, scales.shape[2])
        return self.fused(scales, None, None, dtype) if dtype else self.project(self.norm(scales.flatten(1, 2)))

    def fused(
        self,
        scales: Tensor,
        num_frames: Tensor | None,
        exchange: TransformAverageConcatenate | None,
        dtype: torch.dtype,
    ) -> Tensor:
        """The same in few passes over memory, behind an exchange if there is one."""
        x = scales.permute(0, 3, 1, 2)  # (B, L, S, N)
        counts = true_counts(num_frames, len(x), x.shape[1])
        eps = (0.0 if exchange is None else exchange.norm.eps, self.norm.eps)
        weights = () if exchange is None else exchange.weights()
        norm, project = (self.norm.weight, self.norm.bias), (self.project.weight[:, :, 0], self.project.bias)
        with torch.autocast("cpu", enabled=False):
            return FuseFunction.apply(x, dtype, counts, eps, *norm, *project, *weights).transpose(1, 2)


class ScaleInterFuser(nn.Module):
    """The scales exchange what they have in common, then are fused as by ``PlainFuser``.

    Args:
        num_scales, num_filters, channels: as of ``PlainFuser``.
        exchange: (B, S, N, L), true number of frames and memory to (B, S, N, L).

    Source: Chen et al., "MC-SpEx", Interspeech 2023; what is within the box is a reading.
    """

    def __init__(self, num_scales: int, num_filters: int, channels: int, exchange: TransformAverageConcatenate):
        super().__init__()
        self.exchange = exchange
        self.fuse = PlainFuser(num_scales, num_filters, channels)

    def forward(self, scales: Tensor, num_frames: Tensor | None = None, memory: Memory | None = None) -> Tensor:
        """(B, S, N, L) to (B, C, L); see ``TransformAverageConcatenate`` for the other arguments."""
        dtype = factor_dtype(scales, scales.shape[2], self.exchange.hidden)
        if dtype and memory is None and self.exchange.weights():
            return self.fuse.fused(scales, num_frames, self.exchange, dtype)
        return self.fuse(self.exchange(scales, num_frames, memory))
