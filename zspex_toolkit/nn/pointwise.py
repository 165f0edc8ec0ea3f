"""Conv1x1 and PReLU, each in as few passes over memory as it takes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from zspex_toolkit.nn.matrix_product import frames_linear
from zspex_toolkit.nn.separate_layers import fuses


def pointwise(frames: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Conv1x1: (B, C, L), (C', C, 1), (C',) -> (B, C', L).

    Fused, the channels of a frame of the result lie side by side, which is the layout that the next one works in.
    """
    if not fuses(frames):
        return functional.conv1d(frames, weight, bias)
    return frames_linear(frames.transpose(1, 2), weight[:, :, 0], bias).transpose(1, 2)


class Pointwise(nn.Conv1d):
    """Conv1x1 layer.

    Args:
        in_channels, out_channels: C and C'.
        bias: add one.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True):
        super().__init__(in_channels, out_channels, 1, bias=bias)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, L) to (B, C', L)."""
        return pointwise(frames, self.weight, self.bias)


class Rectify(torch.autograd.Function):
    """PReLU with one slope; torch's own gradient of the slope writes a tensor of the size of the input."""

    @staticmethod
    def forward(ctx, values: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(values, slope)
        return functional.leaky_relu(values, slope.item())

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor]:
        values, slope = ctx.saved_tensors
        of_slope = (values.clamp(max=0).mul_(grad)).sum()
        return torch.ops.aten.leaky_relu_backward(grad, values, slope.item(), False), of_slope.view(1).to(slope.dtype)


class Rectifier(nn.PReLU):
    """PReLU with one slope for all channels."""

    def forward(self, values: Tensor) -> Tensor:
        """Any shape, to the same."""
        return Rectify.apply(values, self.weight) if fuses(values) else super().forward(values)
