"""gLN of frames whose channels lie side by side as one differentiable function: two passes over memory each way."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zspex_toolkit.nn.tcn_function import Statistics, affine, measure, normalisation_gradients


class GlobalNormFunction(torch.autograd.Function):
    """x (B, L, C), gain (C,), offset (C,) and the true frames of each utterance to (B, L, C)."""

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, offset: Tensor, counts: list[int], eps: float) -> Tensor:
        ctx.counts, ctx.statistics = counts, []
        out = torch.empty_like(x)
        for b, count in enumerate(counts):
            statistics = measure(x[b, :count], eps)
            scale, shift = affine(statistics, gain, offset)
            torch.addcmul(shift, x[b], scale, out=out[b])
            ctx.statistics.append(statistics)
        ctx.save_for_backward(x, gain)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gain = ctx.saved_tensors
        of_x, of_gain, of_offset = torch.empty_like(x), torch.zeros_like(gain), torch.zeros_like(gain)
        for b, (count, statistics) in enumerate(zip(ctx.counts, ctx.statistics, strict=True)):
            gains, offsets = _one(of_x[b], grad[b], x[b], gain, statistics, count)
            of_gain += gains
            of_offset += offsets
        return of_x, of_gain, of_offset, None, None


def _one(
    of_x: Tensor, grad: Tensor, x: Tensor, gain: Tensor, statistics: Statistics, count: int
) -> tuple[Tensor, Tensor]:
    """Write the gradient of x (L, C), and return those of gain and offset; the first ``count`` frames are measured."""
    products = torch.mul(grad, x, out=of_x).sum(0)
    of_gain, of_offset, slope, constant = normalisation_gradients(grad.sum(0), products, statistics, gain, count)
    torch.mul(grad, gain * statistics.scale, out=of_x)
    of_x[:count].add_(x[:count], alpha=slope).add_(constant)
    return of_gain, of_offset


def global_norm(x: Tensor, gain: Tensor | None, offset: Tensor | None, num_frames: Tensor | None, eps: float) -> Tensor:
    """gLN of (B, L, C) over the true frames (B,) of each utterance, each at least 1; None: all.

    Args:
        gain, offset: (C,), or None for 1 and 0.
    """
    gain = x.new_ones(x.shape[2]) if gain is None else gain
    offset = torch.zeros_like(gain) if offset is None else offset
    counts = [x.shape[1]] * len(x) if num_frames is None else num_frames.tolist()
    return GlobalNormFunction.apply(x.contiguous(), gain, offset, counts, eps)
