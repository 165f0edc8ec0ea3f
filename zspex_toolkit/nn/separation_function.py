"""Masks, masked encodings and their decoding as one differentiable function."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zspex_toolkit.nn.coder_function import Grid, decode, decode_gradients
from zspex_toolkit.nn.exchange_function import (
    Exchange,
    ExchangeWeights,
    exchange,
    exchange_gradients,
    update_arguments,
)
from zspex_toolkit.nn.passes import run_pass, times, times_transposed, true_counts, weight_gradient, without_autocast


class SeparationFunction(torch.autograd.Function):
    """Frames (B, L, C) and encodings (B, L, S, N) to signals (B, S, T).

    Args of ``apply``:
        frames: what the masks are made from, float32.
        encodings: float32.
        dtype: of the factors of products, except the decoder's, whose signals have single precision.
        eps: of the exchange's norm.
        grid: of the decoder.
        project, bias: (S N, C), (S N,).
        coders: the decoder's weights (N, size) of all scales, then their biases (1,).
        weights: those of the exchange; none for none.
    """

    @staticmethod
    def forward(ctx, frames, encodings, dtype, eps, grid: Grid, project, bias, *others) -> Tensor:
        batch, length, num_scales, num_filters = encodings.shape
        coders, weights = others[: 2 * num_scales], others[2 * num_scales :]
        weights = ExchangeWeights(*weights) if weights else None
        rows = frames.reshape(batch * length, -1).to(dtype)
        encodings = encodings.reshape(batch * length, num_scales, num_filters).contiguous()
        x = times(rows, project, bias).view_as(encodings)
        done = None
        if weights is not None:
            counts = true_counts(None, batch, length)
            done = exchange(x, weights, counts, eps)
        masked = encodings.new_empty(num_scales, batch * length, num_filters, dtype=torch.float32)
        run_pass("mask", dtype, x, encodings, masked, *update_arguments(done, weights, x.shape, batch))
        ctx.grid, ctx.batch, ctx.exchanges = grid, batch, weights is not None
        ctx.save_for_backward(rows, encodings, x, project, *coders, *(weights or ()), *(done or ()))
        return decode(masked, coders[:num_scales], coders[num_scales:], grid, batch)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, encodings, x, project, *rest = ctx.saved_tensors
        batch, (num_rows, num_scales, num_filters) = ctx.batch, x.shape
        coders, rest = rest[: 2 * num_scales], rest[2 * num_scales :]
        size = len(ExchangeWeights._fields)
        weights, done = (ExchangeWeights(*rest[:size]), Exchange(*rest[size:])) if ctx.exchanges else (None, None)
        of_frames, of_biases = decode_gradients(grad.contiguous(), coders[:num_scales], ctx.grid, x)
        of_masked = torch.cat([times(frame, weight) for frame, weight in zip(of_frames, coders, strict=False)])
        masked = x.new_empty(num_scales, num_rows, num_filters)
        of_x, of_encodings = torch.empty_like(x), torch.empty_like(encodings)
        sums = x.new_zeros(2, batch, num_scales, num_filters, dtype=torch.float32)
        update = update_arguments(done, weights, x.shape, batch)
        run_pass("mask_back", x.dtype, of_masked, x, encodings, masked, of_x, of_encodings, *sums, *update)
        of_coders = [weight_gradient(one, of_frame) for one, of_frame in zip(masked, of_frames, strict=True)]
        of_weights = ()
        if done is not None:
            counts = true_counts(None, batch, num_rows // batch)
            of_x, of_weights = exchange_gradients(of_x, *sums, x, done, weights, counts)
        of_x = of_x.flatten(1)  # (R, S N)
        return (
            times_transposed(of_x, project).float().view(batch, -1, project.shape[1]),
            of_encodings.view(batch, -1, num_scales, num_filters),
            *(None, None, None),
            weight_gradient(of_x, rows),
            of_x.sum(0, dtype=torch.float32),
            *(*of_coders, *of_biases, *of_weights),
        )
