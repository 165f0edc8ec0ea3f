"""Learned filter banks as matrix products over overlapping frames, all scales in one differentiable function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zspex_toolkit.nn.matrix_product import product
from zspex_toolkit.nn.passes import run_pass, weight_gradient, without_autocast


class Grid(NamedTuple):
    """Where decoded frames stand."""

    stride: int
    begins: tuple[int, ...]  # samples of each scale's first frame that are cut off
    num_samples: int


class EncodeFunction(torch.autograd.Function):
    """Signal (B, T') to encodings (B, L, S, N), ReLU included; no gradient of the signal.

    Args of ``apply``:
        signal: float32, contiguous.
        dtype: of the factors of the weights' gradients; the encodings are computed in single precision.
        begins: first sample of each scale's first frame.
        num_frames: L.
        stride: samples from frame to frame.
        parameters: weights (N, size) of all scales, then their biases (N,).
    """

    @staticmethod
    def forward(ctx, signal, dtype, begins, num_frames, stride, *parameters) -> Tensor:
        num_scales = len(parameters) // 2
        weights, biases = parameters[:num_scales], parameters[num_scales:]
        num_rows, num_filters = len(signal) * num_frames, len(weights[0])
        out = signal.new_empty(len(signal), num_frames, num_scales, num_filters)
        ctx.frames = []
        for scale, (weight, bias, begin) in enumerate(zip(weights, biases, begins, strict=True)):
            frames = signal[:, begin : begin + (num_frames - 1) * stride + weight.shape[1]]
            frames = frames.unfold(1, weight.shape[1], stride)
            values = product(frames.reshape(num_rows, -1), weight, bias)
            run_pass("encode", None, values, out, scale, num_rows, num_scales, num_filters)
            ctx.frames.append(frames)  # views of the signal
        ctx.dtype = dtype
        ctx.save_for_backward(out)
        return out

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        (out,) = ctx.saved_tensors
        shape = (len(out) * out.shape[1], *out.shape[2:])  # (R, S, N)
        of_values = grad.new_empty(shape[1], shape[0], shape[2], dtype=ctx.dtype)
        of_biases = grad.new_zeros(shape[1:], dtype=torch.float32)
        run_pass("encode_back", ctx.dtype, grad.contiguous(), out, of_values, of_biases, *shape)
        of_weights = [
            weight_gradient(of_scale, frames.to(ctx.dtype).reshape(shape[0], -1))
            for of_scale, frames in zip(of_values, ctx.frames, strict=True)
        ]
        return None, None, None, None, None, *of_weights, *of_biases


def decode(masked: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], grid: Grid, batch: int) -> Tensor:
    """Masked encodings (S, R, N) by filters (N, size) of each scale to signals (B, S, T), zero behind the frames."""
    out = masked.new_empty(batch, len(masked), grid.num_samples)
    for scale, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        frames = product(masked[scale], weight.t())  # (R, size)
        places = _places(grid, scale, batch, len(frames), weight.shape[1])
        run_pass("overlap_add", None, frames, bias, out[0, scale], *places, out.stride(0))
    return out


def decode_gradients(
    grad: Tensor, weights: Sequence[Tensor], grid: Grid, x: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """From the gradient of :func:`decode`'s signals, (B, S, T), those of its frames and biases.

    Args:
        x: (R, ...), of the type that the frames are to have.

    Returns:
        (R, size) and (1,) of each scale.
    """
    of_frames, of_biases = [], []
    for scale, weight in enumerate(weights):
        size = weight.shape[1]
        frames = x.new_empty(len(x), size)
        places = _places(grid, scale, len(grad), len(x), size)
        run_pass("cut", x.dtype, grad[0, scale], frames, *places, grad.stride(0))
        of_frames.append(frames)
        end = (len(x) // len(grad) - 1) * grid.stride + size - grid.begins[scale]
        of_biases.append(grad[:, scale, :end].sum().view(1))
    return of_frames, of_biases


def _places(grid: Grid, scale: int, batch: int, num_rows: int, size: int) -> tuple[int, ...]:
    return batch, num_rows // batch, size, grid.stride, grid.begins[scale], grid.num_samples
