"""A fuser as one differentiable function: exchange between the scales, layer norm of each frame, Conv1x1."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zspex_toolkit.nn.exchange_function import (
    Exchange,
    ExchangeWeights,
    exchange,
    exchange_gradients,
    update_arguments,
)
from zspex_toolkit.nn.passes import run_pass, times, times_transposed, weight_gradient, without_autocast


class FuseFunction(torch.autograd.Function):
    """Encodings (B, L, S, N) to (B, L, C).

    Args of ``apply``:
        x: encodings, float32.
        dtype: of the factors of products.
        counts: (B,) true frames, int64.
        eps: of the exchange's norm, and of the layer norm.
        gain, offset: of the layer norm, (S N,).
        project, bias: (C, S N), (C,).
        weights: those of the exchange; none for none.
    """

    @staticmethod
    def forward(ctx, x, dtype, counts, eps, gain, offset, project, bias, *weights) -> Tensor:
        batch, length, num_scales, num_filters = x.shape
        rows = x.reshape(batch * length, num_scales, num_filters).contiguous()
        weights = ExchangeWeights(*weights) if weights else None
        rounded = rows.to(dtype)
        done = exchange(rounded, weights, counts, eps[0]) if weights else None
        normed, moments = torch.empty_like(rounded), rows.new_empty(2, len(rows), dtype=torch.float32)
        update = update_arguments(done, weights, rows.shape, batch)
        run_pass("layer_norm", dtype, rows, gain, offset, eps[1], normed, *moments, *update)
        ctx.counts, ctx.batch, ctx.exchanges = counts, batch, weights is not None
        ctx.save_for_backward(rows, rounded, normed, moments, gain, offset, project, *(weights or ()), *(done or ()))
        return times(normed.flatten(1), project).float().add_(bias).view(batch, length, -1)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, rounded, normed, moments, gain, offset, project, *rest = ctx.saved_tensors
        size = len(ExchangeWeights._fields)
        weights, done = (ExchangeWeights(*rest[:size]), Exchange(*rest[size:])) if ctx.exchanges else (None, None)
        grad = grad.reshape(len(rows), -1)
        low = grad.to(rounded.dtype).contiguous()
        of_normed = times_transposed(low, project)
        of_gain, of_offset = torch.zeros_like(gain), torch.zeros_like(offset)
        sums = rows.new_zeros(2, ctx.batch, *rows.shape[1:], dtype=torch.float32)
        of_rows = torch.empty_like(rounded if done else rows)
        update = update_arguments(done, weights, rows.shape, ctx.batch)
        arguments = (of_normed, rows, gain, *moments, of_rows, of_gain, of_offset, *sums, *update)
        run_pass("layer_norm_back", rounded.dtype, *arguments)
        of_project, of_weights = weight_gradient(low, normed.flatten(1)), ()
        if done:
            of_rows, of_weights = exchange_gradients(of_rows, *sums, rounded, done, weights, ctx.counts)
        of_x = of_rows.float().view(ctx.batch, -1, *rows.shape[1:])
        return of_x, None, None, None, of_gain, of_offset, of_project, grad.sum(0), *of_weights
