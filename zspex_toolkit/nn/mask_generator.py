"""Mask generators: frames to one mask, of no negative value, for each scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.nn.pointwise import Pointwise
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.tac import TransformAverageConcatenate


class SeparateMasks(nn.Module):
    """A Conv1x1 of its own for each scale (all in one layer), then ReLU.

    Args:
        channels: C of the frames.
        num_scales: S.
        num_filters: N of each scale.

    Source: Ge et al., "SpEx+", Interspeech 2020.
    """

    def __init__(self, channels: int, num_scales: int, num_filters: int):
        super().__init__()
        self.num_filters = num_filters
        self.project = Pointwise(channels, num_scales * num_filters)

    def start_at_one(self) -> None:
        """Begin with masks of about one for every input."""
        _begin_at_one(self.project)

    def forward(self, frames: Tensor, memory: Memory | None = None, *, num_outputs: int | None = None) -> Tensor:
        """(B, L, C) to (B, num_outputs, L, N), the first scales; None for all."""
        kept = None if num_outputs is None else num_outputs * self.num_filters
        masks = functional.linear(frames, self.project.weight[:kept, :, 0], self.project.bias[:kept])
        return torch.relu(masks).unflatten(2, (-1, self.num_filters)).transpose(1, 2)


class ScaleInterMasks(nn.Module):
    """A Conv1x1 for each scale, whose outputs exchange what they have in common before the ReLU.

    Args:
        channels, num_scales, num_filters: as of ``SeparateMasks``.
        exchange: the layer through which the scales see each other.

    Source: Chen et al., "MC-SpEx", Interspeech 2023; what is within the box is a reading.
    """

    def __init__(self, channels: int, num_scales: int, num_filters: int, exchange: TransformAverageConcatenate):
        super().__init__()
        self.num_filters = num_filters
        self.project = Pointwise(channels, num_scales * num_filters)
        self.exchange = exchange

    def start_at_one(self) -> None:
        """Begin with masks of about one, to which the exchange adds."""
        _begin_at_one(self.project)

    def forward(self, frames: Tensor, memory: Memory | None = None, *, num_outputs: int | None = None) -> Tensor:
        """(B, L, C) to (B, num_outputs, L, N), the first scales; None for all."""
        scales = self.project(frames).unflatten(2, (-1, self.num_filters)).transpose(1, 2)  # (B, S, L, N)
        return torch.relu(self.exchange(scales, memory=memory, num_outputs=num_outputs))


@torch.no_grad()
def _begin_at_one(project: Pointwise) -> None:
    nn.init.normal_(project.weight, std=0.01)  # small against the bias, and not the same for all channels
    nn.init.ones_(project.bias)
