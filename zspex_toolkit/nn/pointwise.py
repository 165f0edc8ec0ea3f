"""Layers that see one frame at a time: Conv1x1 and PReLU, over frames whose channels lie side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Pointwise(nn.Conv1d):
    """Conv1x1. Its weights are those of a convolution, (C', C, 1); it computes a matrix product.

    Args:
        in_channels, out_channels: C and C'.
        bias: add one.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True):
        super().__init__(in_channels, out_channels, 1, bias=bias)

    def forward(self, frames: Tensor) -> Tensor:
        """(..., L, C) to (..., L, C')."""
        return functional.linear(frames, self.weight[:, :, 0], self.bias)


class Rectifier(nn.PReLU):
    """PReLU with one slope for all channels."""

    def forward(self, values: Tensor) -> Tensor:
        """Any shape, to the same."""
        # torch's own PReLU writes a gradient of the slope for every value: three times as slow forwards and backwards.
        return torch.lerp(torch.relu(values), values, self.weight.to(values.dtype))
