"""Transform, average, concatenate of frames whose channels lie side by side: few passes over memory, forward and back.

What it adds to its groups is normalised and added by the pass that uses the sum, so neither is ever written.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from zspex_toolkit.nn.passes import run_pass, times, times_transposed, weight_gradient


class ExchangeWeights(NamedTuple):
    """Parameters of ``TransformAverageConcatenate`` with its norm; N channels of a group, H hidden ones."""

    transform: Tensor  # (H, N)
    transform_bias: Tensor
    transform_slope: Tensor  # (1,)
    average: Tensor  # (H, H)
    average_bias: Tensor
    average_slope: Tensor
    concatenate: Tensor  # (N, 2 H)
    concatenate_bias: Tensor
    concatenate_slope: Tensor
    gain: Tensor  # (N,)
    offset: Tensor


class Exchange(NamedTuple):
    """What the groups have told each other: values before and behind each PReLU, and the statistics of the norm."""

    transformed: Tensor  # (R S, H), without its bias
    hidden: Tensor  # (R S, H)
    averaged: Tensor  # (R, H), the mean over the groups
    before: Tensor  # (R, H), without its bias
    common: Tensor  # (R, H)
    own: Tensor  # (R S, N): the addition is PReLU(own + shared + bias), normalised
    shared: Tensor  # (R, N)
    mean: Tensor  # (B, S)
    scale: Tensor  # (B, S)


def exchange(x: Tensor, weights: ExchangeWeights, counts: Tensor, eps: float) -> Exchange:
    """Groups of R = B L frames (R, S, N) whose first ``counts`` (B,) frames are true."""
    w, (num_rows, num_groups, _) = weights, x.shape
    transformed = times(x.flatten(0, 1), w.transform)
    hidden, averaged = torch.empty_like(transformed), x.new_empty(num_rows, transformed.shape[1])
    _rectify(transformed, w.transform_bias, w.transform_slope, hidden, averaged, num_groups)
    before = times(averaged, w.average)
    common = torch.empty_like(before)
    _rectify(before, w.average_bias, w.average_slope, common, None, 1)
    of_own, of_common = w.concatenate.chunk(2, 1)
    moments = x.new_empty(2, len(counts), num_groups, dtype=torch.float32)
    own, shared = times(hidden, of_own), times(common, of_common)
    done = Exchange(transformed, hidden, averaged, before, common, own, shared, *moments)
    run_pass("update_moments", x.dtype, counts, eps, *update_arguments(done, weights, x.shape, len(counts)))
    return done


def _rectify(values: Tensor, bias: Tensor, slope: Tensor, out: Tensor, mean: Tensor | None, num_groups: int) -> None:
    shape = (len(values) // num_groups, num_groups, values.shape[1])
    run_pass("rectify_groups", values.dtype, values, bias, slope.item(), out, mean, *shape)


def update_arguments(done: Exchange | None, weights: ExchangeWeights | None, shape: tuple, batch: int) -> tuple:
    """The last arguments of passes that add the exchange to (R, S, N) frames; None: nothing is added."""
    sizes = (batch, shape[0] // batch, *shape[1:])
    if done is None:
        return (None, None, None, 0.0, None, None, None, None, *sizes)
    slope = weights.concatenate_slope.item()
    moments = (done.mean, done.scale, weights.gain, weights.offset)
    return (done.own, done.shared, weights.concatenate_bias, slope, *moments, *sizes)


def exchange_gradients(
    grad: Tensor,
    sums: Tensor,
    products: Tensor,
    x: Tensor,
    done: Exchange,
    weights: ExchangeWeights,
    counts: Tensor,
) -> tuple[Tensor, ExchangeWeights]:
    """Gradients of ``x + exchange(x)``.

    Args:
        grad: of the sum, (R, S, N), of the type of ``x``.
        sums: of ``grad`` over the frames of each utterance, float32 (B, S, N).
        products: the same of ``grad`` times what the norm normalises.

    Returns:
        of x (R, S, N), and of the weights in single precision.
    """
    w = weights
    of_gain, slope, constant = _norm_gradients(sums, products, done, w, counts)
    of_own, of_shared = torch.empty_like(done.own), torch.empty_like(done.shared)
    of_bias, of_slope = torch.zeros_like(w.concatenate_bias), torch.zeros_like(w.concatenate_slope)
    update = update_arguments(done, w, x.shape, len(counts))
    run_pass("update_back", x.dtype, grad, slope, constant, counts, of_own, of_shared, of_bias, of_slope, *update)
    wide, common = w.concatenate.chunk(2, 1)
    average = _rectified_gradients(
        times_transposed(of_shared, common), None, done.before, w.average_bias, w.average_slope, 1
    )
    transform = _rectified_gradients(
        times_transposed(of_own, wide),
        times_transposed(average[0], w.average),
        done.transformed,
        w.transform_bias,
        w.transform_slope,
        x.shape[1],
    )
    rows = x.flatten(0, 1)
    of_x = times_transposed(transform[0], w.transform).view_as(x).add_(grad)
    return of_x, ExchangeWeights(
        *(weight_gradient(transform[0], rows), *transform[1:]),
        *(weight_gradient(average[0], done.averaged), *average[1:]),
        torch.cat([weight_gradient(of_own, done.hidden), weight_gradient(of_shared, done.common)], 1),
        *(of_bias, of_slope, of_gain, sums.sum((0, 1))),
    )


def _norm_gradients(
    sums: Tensor, products: Tensor, done: Exchange, w: ExchangeWeights, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of the gain; and slope and constant (B, S), what the gradient has beside the scaled one."""
    mean, scale = done.mean, done.scale
    of_gain = (products - mean[..., None] * sums) * scale[..., None]  # (B, S, N)
    size = (counts * len(w.gain))[:, None]
    slope = -scale.square() * (of_gain @ w.gain) / size
    return of_gain.sum((0, 1)), slope, -slope * mean - scale * (sums @ w.gain) / size


def _rectified_gradients(
    grad: Tensor, of_mean: Tensor | None, values: Tensor, bias: Tensor, slope: Tensor, num_groups: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Of the values, their bias and the slope."""
    of_values, of_bias, of_slope = torch.empty_like(values), torch.zeros_like(bias), torch.zeros_like(slope)
    shape = (len(values) // num_groups, num_groups, values.shape[1])
    arguments = (grad, of_mean, values, bias, slope.item(), of_values, of_bias, of_slope, *shape)
    run_pass("rectify_groups_back", values.dtype, *arguments)
    return of_values, of_bias, of_slope
