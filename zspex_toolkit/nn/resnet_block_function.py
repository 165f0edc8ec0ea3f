"""A residual block of the speaker encoder as one differentiable function."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zspex_toolkit.nn.masked_batch_norm import MaskedBatchNorm
from zspex_toolkit.nn.passes import run_pass, times, times_transposed, weight_gradient, without_autocast


class Statistics(NamedTuple):
    """What a batch norm does to its channels (C,): ``x * scale + shift``."""

    scale: Tensor
    shift: Tensor
    mean: Tensor
    inverse: Tensor  # 1 / deviation


class ResNetBlockFunction(torch.autograd.Function):
    """Frames (B, L, C), L >= 3, to (B, L // 3, C').

    Args of ``apply``:
        frames: float32.
        dtype: of the factors of products.
        counts: (B,) true frames, int64.
        norms: both batch norms, whose running statistics are updated in training.
        first, second, skip: (C', C), (C', C') and (C', C), the last None if the input is added as it is.
        gain1, offset1, gain2, offset2: of the batch norms, (C',).
        slope1, slope2: (1,).
    """

    @staticmethod
    def forward(ctx, frames, dtype, counts, norms, first, second, skip, *others) -> Tensor:
        batch, length, channels = frames.shape
        *_, slope1, slope2 = others
        rows = frames.reshape(batch * length, channels).to(dtype).contiguous()
        x1 = times(rows, first)
        statistics1 = _statistics(norms[0], x1, counts)
        hidden = torch.empty_like(x1)
        run_pass("rectify_channels", dtype, x1, *statistics1[:2], slope1.item(), hidden, *x1.shape)
        x2 = times(hidden, second)
        statistics2 = _statistics(norms[1], x2, counts)
        added = rows if skip is None else times(rows, skip)
        out = frames.new_empty(batch, length // 3, x2.shape[1])
        run_pass("pool", dtype, x2, added, *statistics2[:2], slope2.item(), out, batch, length, x2.shape[1])
        ctx.counts, ctx.training = counts, [norm.training for norm in norms]
        ctx.statistics = statistics1, statistics2
        ctx.save_for_backward(rows, x1, hidden, x2, added, first, second, skip, *others)
        return out

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, x1, hidden, x2, added, first, second, skip, *_, slope1, slope2 = ctx.saved_tensors
        (statistics1, statistics2), counts, dtype = ctx.statistics, ctx.counts, rows.dtype
        shape = (len(counts), len(rows) // len(counts), x2.shape[1])
        of_sum, sums2, of_slope2 = torch.empty_like(x2), grad.new_zeros(2, shape[2]), torch.zeros_like(slope2)
        arguments = (x2, added, *statistics2[:2], slope2.item(), of_sum, *sums2, of_slope2, *shape)
        run_pass("pool_back", dtype, grad.contiguous(), *arguments)
        of_x2, of_gain2 = _norm_back(of_sum, x2, statistics2, sums2, counts, ctx.training[1])
        of_hidden, sums1, of_slope1 = times_transposed(of_x2, second), torch.zeros_like(sums2), torch.zeros_like(slope1)
        arguments = (x1, *statistics1[:2], slope1.item(), *sums1, of_slope1, *x1.shape)
        run_pass("rectify_channels_back", dtype, of_hidden, *arguments)
        of_x1, of_gain1 = _norm_back(of_hidden, x1, statistics1, sums1, counts, ctx.training[0])
        of_frames = times_transposed(of_x1, first).float()
        of_frames += of_sum if skip is None else times_transposed(of_sum, skip)
        return (
            *(of_frames.view(*shape[:2], -1), None, None, None),
            *(weight_gradient(of_x1, rows), weight_gradient(of_x2, hidden)),
            None if skip is None else weight_gradient(of_sum, rows),
            *(of_gain1, sums1[0], of_gain2, sums2[0], of_slope1, of_slope2),
        )


def _statistics(norm: MaskedBatchNorm, x: Tensor, counts: Tensor) -> Statistics:
    """Of the true frames of x (R, C), which enter the running ones; in evaluation, the running ones."""
    mean, variance = norm.running_mean, norm.running_var
    if norm.training:
        sums = x.new_zeros(2, len(counts), x.shape[1], dtype=torch.float32)
        pivot = x[0].float()
        shape = (len(counts), len(x) // len(counts), x.shape[1])
        run_pass("channel_sums", x.dtype, x, pivot, counts, *sums, *shape)
        count = counts.sum().clamp(min=1)
        offset, square = sums.double().sum(1) / count
        mean, variance = (pivot + offset).float(), (square - offset.square()).clamp(min=0).float()
        norm.count_batch(mean, variance, count)
    inverse = (variance + norm.eps).rsqrt()
    scale = norm.weight.detach() * inverse
    return Statistics(scale, norm.bias.detach() - mean * scale, mean, inverse)


def _norm_back(
    grad: Tensor, x: Tensor, statistics: Statistics, sums: Tensor, counts: Tensor, training: bool
) -> tuple[Tensor, Tensor]:
    """Gradients of x (R, C) and of the gain, from that of the norm and its sums over rows: of it, and of it times x."""
    scale, _, mean, inverse = statistics
    of_gain = (sums[1] - mean * sums[0]) * inverse
    slope = -scale * inverse * of_gain / counts.sum().clamp(min=1) if training else torch.zeros_like(scale)
    constant = -scale * sums[0] / counts.sum().clamp(min=1) - slope * mean if training else slope
    out = torch.empty_like(x)
    shape = (len(counts), len(x) // len(counts), x.shape[1])
    run_pass("channel_norm_back", x.dtype, grad, x, scale, slope, constant, counts, out, *shape)
    return out, of_gain
