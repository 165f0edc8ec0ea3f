"""Products of frames with a weight matrix: the quickest kernel that the machine has, and its gradient.

A 1x1 convolution over frames whose channels lie side by side is a matrix product. On a CPU torch computes a float32
product with MKL, which runs at less than half of the speed of an AMD core; oneDNN, which torch brings along, runs at
full speed on both, so it is asked for by name where it is there.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from zspex_toolkit.nn.separate_layers import fuses

_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
_CHUNK = 1 << 17  # values of a product that stay in the innermost cache of a core, half a megabyte


def product(frames: Tensor, weight: Tensor, bias: Tensor | None = None, low: torch.dtype | None = None) -> Tensor:
    """``frames @ weight.T + bias``, outside of autograd and autocast.

    Args:
        frames: (L, C), or more leading dimensions; any strides.
        weight: (C', C), any strides.
        bias: (C',)
        low: dtype of the factors, say ``torch.bfloat16``; the result has the dtype of ``frames`` all the same.

    Returns:
        (L, C')
    """
    if low is not None and low != frames.dtype:
        out = F.linear(frames.to(low), weight.to(low)).to(frames.dtype)
        return out if bias is None else out.add_(bias)
    if _ONEDNN and frames.dtype == torch.float32 and frames.device.type == "cpu" and frames.numel():
        if not (weight.is_contiguous() or weight.t().is_contiguous()):
            weight = weight.contiguous()  # oneDNN falls back to a loop for rows that are apart in memory
        return torch.ops.mkldnn._linear_pointwise(frames.contiguous(), weight, bias, "none", [], "")
    return F.linear(frames, weight, bias)


def product_into(
    out: Tensor, frames: Tensor, weight: Tensor, bias: Tensor | None = None, low: torch.dtype | None = None
) -> Tensor:
    """:func:`product` written to ``out`` (L, C'), which stays in the cache where fresh memory would not be in it."""
    rows = max(_CHUNK // max(len(weight), 1), 1)
    for i in range(0, len(frames), rows):
        out[i : i + rows] = product(frames[i : i + rows], weight, bias, low)
    return out


def autocast_dtype(device_type: str) -> torch.dtype | None:
    """Dtype that autocast asks for at this point, or None."""
    return torch.get_autocast_dtype(device_type) if torch.is_autocast_enabled(device_type) else None


class FramesLinear(torch.autograd.Function):
    """:func:`product` with a gradient; saves its arguments and nothing else."""

    @staticmethod
    def forward(ctx, frames: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.low = autocast_dtype(frames.device.type)
        ctx.save_for_backward(frames, weight)
        with torch.autocast(frames.device.type, enabled=False):
            return product(frames.to(weight.dtype), weight, bias, ctx.low)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        frames, weight = ctx.saved_tensors
        frames = frames.to(weight.dtype)
        wants_frames, wants_weight, wants_bias = ctx.needs_input_grad
        rows, of_rows = frames.flatten(end_dim=-2), grad.flatten(end_dim=-2)  # (B L, C), (B L, C')
        with torch.autocast(grad.device.type, enabled=False):
            return (
                product(grad, weight.t(), None, ctx.low) if wants_frames else None,
                product(of_rows.t(), rows.t(), None, ctx.low) if wants_weight else None,
                of_rows.sum(0) if wants_bias else None,
            )


def frames_linear(frames: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """1x1 convolution over frames: (B, L, C), (C', C), (C',) -> (B, L, C'), equal to ``F.linear``.

    Under autocast the factors are rounded and the result is not: normalisations that follow need its precision.
    """
    if not fuses(frames):
        return F.linear(frames, weight, bias)
    return FramesLinear.apply(frames, weight, bias)
