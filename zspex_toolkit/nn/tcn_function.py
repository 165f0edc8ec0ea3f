"""A whole temporal convolution block as one differentiable function: fewer passes over memory, and few saved tensors.

Computes what the separate layers compute (Luo and Mesgarani, "Conv-TasNet", TASLP 2019, with global normalisation)

    y = x + W_out gLN(PReLU(D gLN(PReLU(W_in x + b_in)))) + b_out,        D: dilated depthwise convolution

for frames whose channels lie side by side, one utterance after the other, so that its activations stay in the cache:

- The gain and offset of a normalisation are known only after all frames were seen, but the operation that follows is
  linear: they go into its weights, and no normalised signal is ever written.
- The depthwise convolution is one shifted multiply-add a tap; its zero padding is of the *normalised* signal, so the
  offsets of the taps that fall outside are taken off at the edges.
- The backward pass keeps the input and four statistics of an utterance and computes the rest again. Sums over frames
  that normalisations need in their gradients come out of the small weight gradients.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from zspex_toolkit.nn import tcn_native
from zspex_toolkit.nn.matrix_product import autocast_dtype, product, product_into


class BlockWeights(NamedTuple):
    """Parameters of a block; H hidden channels, P taps."""

    w_in: Tensor  # (H, C)
    slope_in: Tensor  # (1,)
    gain_in: Tensor  # (H,)
    offset_in: Tensor  # (H,)
    taps: Tensor  # (P, H), P odd
    tap_bias: Tensor  # (H,)
    slope_out: Tensor  # (1,)
    gain_out: Tensor  # (H,)
    offset_out: Tensor  # (H,)
    w_out: Tensor  # (C, H)
    b_out: Tensor  # (C,)


class Statistics(NamedTuple):
    """Mean and inverse deviation over the channels and frames of one utterance."""

    mean: float
    scale: float


def measure(x: Tensor, eps: float) -> Statistics:
    """Statistics of gLN: (L, H) -> mean, 1 / sqrt(variance + eps)."""
    flat = x.flatten()
    mean = flat.sum().item() / x.numel()
    power = torch.dot(flat, flat).item() / x.numel()
    variance = power - mean * mean
    if variance < 0.01 * power:  # the difference has lost its digits
        variance = (flat - mean).square_().mean().item()
    return Statistics(mean, (variance + eps) ** -0.5)


def affine(statistics: Statistics, gain: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """Normalisation as ``x * scale + shift``."""
    scale = gain * statistics.scale
    return scale, offset - scale * statistics.mean


def tap_ranges(num_frames: int, num_taps: int, dilation: int) -> list[tuple[int, int, int]]:
    """(offset, first, end) of every tap: output frames ``first:end`` see input frame ``t + offset``."""
    offsets = [(k - num_taps // 2) * dilation for k in range(num_taps)]
    return [(o, min(max(0, -o), num_frames), max(min(num_frames, num_frames - o), 0)) for o in offsets]


def convolve(out: Tensor, x: Tensor, taps: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """Depthwise convolution over frames with zero padding: (L, H), (P, H), (H,) -> ``out`` (L, H)."""
    ranges = tap_ranges(len(x), len(taps), dilation)
    centre = len(taps) // 2
    torch.addcmul(bias, x, taps[centre], out=out)
    for k, (offset, first, end) in enumerate(ranges):
        if k != centre and first < end:
            out[first:end].addcmul_(x[first + offset : end + offset], taps[k])
    return out


def convolve_normalised(out: Tensor, x: Tensor, statistics: Statistics, w: BlockWeights, dilation: int) -> Tensor:
    """:func:`convolve` of the normalised ``x``, which is not computed."""
    scale, shift = affine(statistics, w.gain_in, w.offset_in)
    convolve(out, x, w.taps * scale, torch.addcmul(w.tap_bias, shift, w.taps.sum(0)), dilation)
    for k, (_, first, end) in enumerate(tap_ranges(len(x), len(w.taps), dilation)):
        out[:first].sub_(shift * w.taps[k])
        out[end:].sub_(shift * w.taps[k])
    return out


def normalisation_gradients(
    sums: Tensor, products: Tensor, statistics: Statistics, gain: Tensor, num_frames: int
) -> tuple[Tensor, Tensor, float, float]:
    """Gradients of a gLN from the sums over frames of its gradient g, and of g times its input p.

    Args:
        sums: sum over frames of g, (H,).
        products: sum over frames of g * p, (H,).

    Returns:
        of gain (H,) and offset (H,); and a, b such that the gradient of p is ``gain * scale * g + a * p + b``.
    """
    mean, scale = statistics
    of_gain = (products - mean * sums) * scale
    count = num_frames * len(gain)
    slope = -scale * scale * torch.dot(gain, of_gain).item() / count
    return of_gain, sums, slope, -slope * mean - scale * torch.dot(gain, sums).item() / count


def rectify_backward(grad: Tensor, z: Tensor, slope: Tensor, scratch: Tensor) -> Tensor:
    """Gradients of PReLU with one slope: of its input z, in place of ``grad``; and of the slope, returned."""
    of_slope = torch.dot(grad.view(-1), torch.clamp(z, max=0, out=scratch).view(-1))
    torch.ops.aten.leaky_relu_backward.grad_input(grad, z, slope.item(), False, grad_input=grad)
    return of_slope.view(1)


class Utterance:
    """The block for one utterance at a time, in memory that all utterances of a batch share."""

    def __init__(self, x: Tensor, w: BlockWeights, dilation: int, eps: float, low: torch.dtype | None, buffers: int):
        self.w, self.dilation, self.eps, self.low = w._replace(taps=w.taps.contiguous()), dilation, eps, low
        self.buffers = [x.new_empty(x.shape[1], len(w.w_in)) for _ in range(buffers)]  # each (L, H)

    def output(self, y: Tensor, x: Tensor, bias_in: Tensor) -> tuple[Statistics, Statistics]:
        """Write y (L, C); return the statistics of both normalisations."""
        w, (p, z) = self.w, self.buffers
        F.leaky_relu_(product_into(p, x, w.w_in, bias_in, self.low), w.slope_in.item())
        first = measure(p, self.eps)
        F.leaky_relu_(convolve_normalised(z, p, first, w, self.dilation), w.slope_out.item())
        second = measure(z, self.eps)
        scale, shift = affine(second, w.gain_out, w.offset_out)
        product_into(y, z, w.w_out * scale, torch.addmv(w.b_out, w.w_out, shift), self.low).add_(x)
        return first, second

    def gradients(self, of_x: Tensor, grad: Tensor, x: Tensor, bias_in: Tensor, statistics) -> tuple[Tensor, ...]:
        """Write the gradient of x (L, C); return those of bias_in and of the weights."""
        w, (z_in, p_in, z_out, p_out, g) = self.w, self.buffers
        first, second = statistics
        product_into(z_in, x, w.w_in, bias_in, self.low)
        torch.ops.aten.leaky_relu.out(z_in, w.slope_in.item(), out=p_in)
        convolve_normalised(z_out, p_in, first, w, self.dilation)
        torch.ops.aten.leaky_relu.out(z_out, w.slope_out.item(), out=p_out)
        out_gradients = self.backward_out(g, grad, p_out, second)
        of_slope_out = rectify_backward(g, z_out, w.slope_out, scratch=p_out)
        tap_gradients = self.backward_taps(z_out, g, p_in, first, scratch=p_out)
        of_slope_in = rectify_backward(z_out, z_in, w.slope_in, scratch=p_in)
        product_into(of_x, z_out, w.w_in.t(), None, self.low).add_(grad)
        of_w_in = product(x.t(), z_out.t(), None, self.low)  # (C, H), the quicker way round
        return z_out.sum(0), of_w_in.t(), of_slope_in, *tap_gradients, of_slope_out, *out_gradients

    def backward_out(self, g: Tensor, grad: Tensor, p: Tensor, second: Statistics) -> tuple[Tensor, ...]:
        """Write g (L, H), the gradient of p, from that of the output (L, C).

        Returns:
            gradients of gain_out, offset_out, w_out, b_out.
        """
        w = self.w
        scale, shift = affine(second, w.gain_out, w.offset_out)
        total = grad.sum(0)  # (C,)
        crossed = product(grad.t(), p.t(), None, self.low)  # (C, H): sum over frames of grad x p
        of_gain, of_offset, slope, constant = normalisation_gradients(
            torch.mv(w.w_out.t(), total), (w.w_out * crossed).sum(0), second, w.gain_out, len(grad)
        )
        product_into(g, grad, (w.w_out * scale).t(), torch.full_like(scale, constant), self.low).add_(p, alpha=slope)
        return of_gain, of_offset, (crossed * scale).addr_(total, shift), total

    def backward_taps(
        self, g: Tensor, grad: Tensor, p: Tensor, first: Statistics, scratch: Tensor
    ) -> tuple[Tensor, ...]:
        """Write g (L, H), the gradient of p, from that of the convolution's output (L, H).

        Returns:
            gradients of gain_in, offset_in, taps, tap_bias.
        """
        w = self.w
        scale, shift = affine(first, w.gain_in, w.offset_in)
        sums, crossed = torch.zeros_like(w.taps), torch.zeros_like(w.taps)  # (P, H), over the frames that a tap sees
        for k, (offset, start, end) in enumerate(tap_ranges(len(grad), len(w.taps), self.dilation)):
            if start < end:
                torch.sum(grad[start:end], 0, out=sums[k])
                seen = torch.mul(grad[start:end], p[start + offset : end + offset], out=scratch[start:end])
                torch.sum(seen, 0, out=crossed[k])
        of_gain, of_offset, slope, constant = normalisation_gradients(
            (w.taps * sums).sum(0), (w.taps * crossed).sum(0), first, w.gain_in, len(grad)
        )
        convolve(g, grad, (w.taps * scale).flip(0), torch.full_like(scale, constant), self.dilation)
        g.add_(p, alpha=slope)
        return of_gain, of_offset, crossed * scale + sums * shift, grad.sum(0)


class TcnFunction(torch.autograd.Function):
    """The block over a batch: x (B, L, C), bias_in (B, H) and its other parameters -> (B, L, C)."""

    @staticmethod
    def forward(ctx, x: Tensor, bias_in: Tensor, dilation: int, eps: float, *weights: Tensor) -> Tensor:
        ctx.options = dilation, eps, autocast_dtype(x.device.type)
        y = torch.empty_like(x)
        with torch.autocast(x.device.type, enabled=False):
            block = Utterance(x, BlockWeights(*weights), *ctx.options, buffers=2)
            ctx.statistics = [block.output(*rows) for rows in zip(y, x, bias_in, strict=True)]
        ctx.save_for_backward(x, bias_in, *weights)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, bias_in, *weights = ctx.saved_tensors
        of_x, of_bias, totals = torch.empty_like(x), torch.empty_like(bias_in), None
        with torch.autocast(x.device.type, enabled=False):
            block = Utterance(x, BlockWeights(*weights), *ctx.options, buffers=5)
            for b, rows in enumerate(zip(of_x, grad.contiguous(), x, bias_in, ctx.statistics, strict=True)):
                of_bias[b], *gradients = block.gradients(*rows)
                totals = gradients if b == 0 else [a.add_(c) for a, c in zip(totals, gradients, strict=True)]
        return of_x, of_bias, None, None, *totals


def tcn_block(x: Tensor, bias_in: Tensor, weights: BlockWeights, *, dilation: int, eps: float) -> Tensor:
    """The block: (B, L, C), (B, H) -> (B, L, C), equal to its separate layers with a zero-padded convolution.

    Args:
        bias_in: of the first 1x1 convolution, one row an utterance: a constant input, such as an embedding that is
            concatenated to every frame, adds only to it.
        eps: of both normalisations.
    """
    weights = weights._replace(w_in=weights.w_in.contiguous())
    x, bias_in = x.to(weights.w_in.dtype).contiguous(), bias_in.to(weights.w_in.dtype)
    if tcn_native.applies(x, weights.taps):
        keep = torch.is_grad_enabled()
        return tcn_native.NativeTcnFunction.apply(x, bias_in, dilation, eps, keep, BlockWeights, *weights)
    return TcnFunction.apply(x, bias_in, dilation, eps, *weights)
