"""Between the encodings of all scales and the one sequence of frames of a network: fusers, and mask generators."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.nn.pointwise import Pointwise
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.tac import TransformAverageConcatenate


class ChannelNorm(nn.LayerNorm):
    """Layer norm over C of (..., L, C), in single precision under autocast too."""

    def forward(self, frames: Tensor) -> Tensor:
        """(..., L, C) to the same."""
        with torch.autocast(frames.device.type, enabled=False):
            return super().forward(frames.float()).to(frames.dtype)


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


class MaskGenerator(nn.Module):
    """Frames to one mask, of no negative value, for each scale: a Conv1x1 for each (all in one layer), then ReLU.

    Args:
        channels: C of the frames.
        num_scales: S.
        num_filters: N of each scale.
        exchange: the layer through which the scales see each other before the ReLU; None: each by itself.

    Sources: Ge et al., "SpEx+", Interspeech 2020; with exchange, Chen et al., "MC-SpEx", Interspeech 2023, where what
    is within the box is a reading.
    """

    def __init__(
        self,
        channels: int,
        num_scales: int,
        num_filters: int,
        exchange: TransformAverageConcatenate | None = None,
    ):
        super().__init__()
        self.num_filters = num_filters
        self.project = Pointwise(channels, num_scales * num_filters)
        self.exchange = exchange

    @torch.no_grad()
    def start_at_one(self) -> None:
        """Begin with masks of about one for every input, to which an exchange adds."""
        nn.init.normal_(self.project.weight, std=0.01)  # small against the bias, and not the same for all channels
        nn.init.ones_(self.project.bias)

    def forward(self, frames: Tensor, memory: Memory | None = None, *, num_outputs: int | None = None) -> Tensor:
        """(B, L, C) to (B, num_outputs, L, N), the first scales; None for all."""
        if self.exchange is not None:
            scales = self._scales(self.project(frames))
            return torch.relu(self.exchange(scales, memory=memory, num_outputs=num_outputs))
        kept = None if num_outputs is None else num_outputs * self.num_filters
        masks = functional.linear(frames, self.project.weight[:kept, :, 0], self.project.bias[:kept])
        return self._scales(torch.relu(masks))

    def _scales(self, values: Tensor) -> Tensor:
        """(B, L, S N) to (B, S, L, N)."""
        return values.unflatten(2, (-1, self.num_filters)).transpose(1, 2)
