"""The temporal convolution block of ``tcn_function`` with its passes over memory compiled (``native/tcn_*.cpp``).

What lies between two matrix products is one pass, which reads a product as it is and writes what the next product
takes, rounded if autocast asks for it; all signals between are of that dtype, all sums and parameters are float32. An
utterance at a time, as there. The frames before the first rectification are kept for the backward pass: in memory they
cost less time than the product that gives them.
"""

from __future__ import annotations

import ctypes
import functools
from ctypes import c_double, c_int64, c_void_p
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zspex_toolkit.native.library import library
from zspex_toolkit.nn.matrix_product import autocast_dtype, product

NUM_TAPS = 3
_PARAMETERS = ("slope_in", "gain_in", "offset_in", "taps", "tap_bias", "slope_out")
_SUMS = ("w_in", "crossed", "total", "centred_total", "gain_in", "offset_in", "taps", "tap_bias")


class _Block(ctypes.Structure):
    """``Block`` of native/tcn_block.h."""

    _fields_ = (
        *((name, c_int64) for name in ("num_frames", "channels", "hidden", "dilation")),
        ("eps", c_double),
        *((name, c_void_p) for name in (*_PARAMETERS, "w_out_gain", "out_of_gain", "out_of_offset")),
    )


class _Sums(ctypes.Structure):
    """``Sums`` of native/tcn_block.h."""

    _fields_ = tuple((name, c_void_p) for name in (*_SUMS, "slopes"))


class Passes:
    """The compiled passes for one dtype of the frames between them: ``passes.finish(block, x, product, of, y)``."""

    _NUM_ARGUMENTS = (
        *(("hide", 5), ("finish", 5)),
        *(("receive", 4), ("hide_again", 6), ("hidden_gradients", 11), ("leave", 6)),
    )

    def __init__(self, compiled: ctypes.CDLL, suffix: str):
        for name, count in self._NUM_ARGUMENTS:
            function = compiled[f"zspex_tcn_{name}_{suffix}"]  # an object of its own, unlike an attribute
            function.argtypes, function.restype = [c_void_p] * count, None
            setattr(self, name, function)
        self.round = compiled["zspex_round"]
        self.round.argtypes, self.round.restype = [c_void_p, c_void_p, c_int64], None


@functools.cache
def _passes(low: torch.dtype | None) -> Passes | None:
    compiled = library()
    return None if compiled is None else Passes(compiled, "f32" if low is None else "bf16")


def _low(x: Tensor) -> torch.dtype | None:
    low = autocast_dtype(x.device.type)
    return None if low == torch.float32 else low


def applies(x: Tensor, taps: Tensor) -> bool:
    """True where the compiled block can do what ``tcn_function`` would."""
    if x.device.type != "cpu" or x.dtype != torch.float32 or len(taps) != NUM_TAPS or not x.numel():
        return False
    return _low(x) in (None, torch.bfloat16) and _passes(_low(x)) is not None


class NativeBlock:
    """Parameters of the block, ready for the passes and the products.

    Args:
        w: ``tcn_function.BlockWeights``, float32.
        shape: (B, L, C) of the input.
        low: dtype of the factors of products; None: float32.
    """

    def __init__(self, w: Any, shape: torch.Size, dilation: int, eps: float, low: torch.dtype | None):
        self.low, self.dtype, self.passes = low, low or torch.float32, _passes(low)
        self.hidden, (_, self.num_frames, self.channels) = len(w.w_in), shape
        self.w = w = type(w)(*(tensor.detach().contiguous() for tensor in w))
        self.w_out_gain = w.w_out * w.gain_out  # (C, H)
        self.w_in, self.w_out = w.w_in.to(self.dtype), self.w_out_gain.to(self.dtype)
        self.out_of_gain = self.w_out_gain.sum(1)
        self.out_of_offset = torch.addmv(w.b_out, w.w_out, w.offset_out)
        pointers = [getattr(w, name) for name in _PARAMETERS]
        pointers += [self.w_out_gain, self.out_of_gain, self.out_of_offset]
        sizes = self.num_frames, self.channels, self.hidden, dilation
        self._block = _Block(*sizes, eps, *(tensor.data_ptr() for tensor in pointers))
        self.address = ctypes.addressof(self._block)

    def rows(self, count: int, width: int) -> list[Tensor | None]:
        """Memory for ``count`` products (L, width); None where the quickest product brings its own."""
        if self.low is None:
            return [None] * count
        return list(torch.empty(count, self.num_frames, width, dtype=self.low))

    def forward(self, x: Tensor, bias_in: Tensor, *, keep: bool) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Output (B, L, C), statistics (B, 4) and, if kept, the rounded inputs and first products of all utterances."""
        y, statistics = torch.empty_like(x), torch.empty(len(x), 4, dtype=torch.float64)
        rectified, out = torch.empty(self.num_frames, self.hidden, dtype=self.dtype), self.rows(1, self.channels)[0]
        count = len(x) if keep else 1
        inputs, products = self.rows(count, self.channels), self.rows(count, self.hidden)
        kept = []
        for b, rows in enumerate(zip(y, x, bias_in, statistics, strict=True)):
            i = b if keep else 0
            frames, z = self._one(*rows, inputs[i], products[i], rectified, out)
            kept += [frames, z] if keep else []
        return y, statistics, kept

    def _one(self, y, x, bias_in, statistics, frames, z, rectified, out) -> tuple[Tensor, Tensor]:
        passes, of = self.passes, statistics.data_ptr()
        if frames is None:
            frames = x
        else:
            passes.round(x.data_ptr(), frames.data_ptr(), x.numel())
        z = _multiply(frames, self.w_in.t(), z)
        passes.hide(self.address, z.data_ptr(), bias_in.data_ptr(), of, rectified.data_ptr())
        last = _multiply(rectified, self.w_out.t(), out)
        passes.finish(self.address, x.data_ptr(), last.data_ptr(), of, y.data_ptr())
        return frames, z


def _multiply(a: Tensor, b: Tensor, out: Tensor | None) -> Tensor:
    """(M, K), (K, N) -> (M, N), written to ``out`` unless that is None."""
    return product(a, b.t()) if out is None else torch.mm(a, b, out=out)


class GradientSums:
    """Sums over utterances that the passes add to, and the gradients of the parameters that come out of them."""

    def __init__(self, block: NativeBlock):
        channels, hidden = block.channels, block.hidden
        shapes = [(channels, hidden)] * 2 + [(channels,)] * 2 + [(hidden,)] * 2 + [(NUM_TAPS, hidden), (hidden,)]
        self.of = dict(zip(_SUMS, (torch.zeros(shape) for shape in shapes), strict=True))
        self.slopes = torch.zeros(2, dtype=torch.float64)
        self._sums = _Sums(*(tensor.data_ptr() for tensor in (*self.of.values(), self.slopes)))
        self.address = ctypes.addressof(self._sums)

    def gradients(self, w: Any) -> Any:
        """Of the weights ``w``."""
        of, slopes = self.of, self.slopes.to(torch.float32)
        w_out = (of["crossed"] * w.gain_out).addr_(of["total"], w.offset_out)
        return type(w)(
            w_in=of["w_in"].t(),
            slope_in=slopes[:1],
            gain_in=of["gain_in"],
            offset_in=of["offset_in"],
            taps=of["taps"],
            tap_bias=of["tap_bias"],
            slope_out=slopes[1:],
            gain_out=(w.w_out * of["crossed"]).sum(0).sub_(torch.mv(w.w_out.t(), of["centred_total"])),
            offset_out=torch.mv(w.w_out.t(), of["total"]),
            w_out=w_out.addr_(of["centred_total"], w.gain_out, alpha=-1),
            b_out=of["total"],
        )


class Backward:
    """The gradient of the block, for one utterance at a time, in memory that all utterances share."""

    def __init__(self, block: NativeBlock):
        self.block, self.sums = block, GradientSums(block)
        hidden, channels = block.hidden, block.channels
        self.rectified, self.convolved = torch.empty(2, block.num_frames, hidden, dtype=block.dtype)
        self.total = torch.empty(channels)
        self.rounded, self.out = block.rows(2, channels)
        self.hidden_out = block.rows(1, hidden)[0]
        self.of_weights = None if block.low is None else torch.empty(channels, hidden, dtype=block.low)

    def one(self, of_x, of_bias, grad, bias_in, statistics, frames, z) -> None:
        """Write the gradients of x (L, C) and bias_in (H,) from that of the output (L, C); add those of the weights."""
        block, passes, address, sums = self.block, self.block.passes, self.block.address, self.sums.address
        grad_at, z_at, bias_at, of, total = (t.data_ptr() for t in (grad, z, bias_in, statistics, self.total))
        passes.receive(address, grad_at, self.rounded.data_ptr() if self.rounded is not None else None, total)
        rounded = grad if self.rounded is None else self.rounded
        passes.hide_again(address, z_at, bias_at, of, self.rectified.data_ptr(), self.convolved.data_ptr())
        crossed = _multiply(rounded.t(), self.rectified, self.of_weights)
        g = _multiply(rounded, block.w_out, self.hidden_out)
        of_z = self.rectified  # which is not needed any more
        at = (tensor.data_ptr() for tensor in (g, self.convolved, z, bias_in, statistics, crossed, self.total, of_z))
        passes.hidden_gradients(address, *at, of_bias.data_ptr(), sums)
        of_frames = _multiply(of_z, block.w_in, self.out)
        of_w_in = _multiply(frames.t(), of_z, self.of_weights)
        passes.leave(address, grad_at, of_frames.data_ptr(), of_w_in.data_ptr(), of_x.data_ptr(), sums)


class NativeTcnFunction(torch.autograd.Function):
    """The block over a batch, as ``tcn_function.TcnFunction``; ``keep``: a backward pass may follow."""

    @staticmethod
    def forward(ctx, x: Tensor, bias_in: Tensor, dilation: int, eps: float, keep: bool, kind: type, *weights: Tensor):
        ctx.options = dilation, eps, _low(x)
        bias_in = bias_in.contiguous()
        with torch.autocast("cpu", enabled=False):
            block = NativeBlock(kind(*weights), x.shape, *ctx.options)
            y, statistics, kept = block.forward(x, bias_in, keep=keep)
        ctx.shape, ctx.kind, ctx.num_kept = x.shape, kind, len(kept)
        ctx.save_for_backward(bias_in, statistics, *kept, *weights)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        bias_in, statistics, *rest = ctx.saved_tensors
        kept, weights = rest[: ctx.num_kept], rest[ctx.num_kept :]
        of_x, of_bias = torch.empty(ctx.shape), torch.empty_like(bias_in)
        with torch.autocast("cpu", enabled=False):
            backward = Backward(NativeBlock(ctx.kind(*weights), ctx.shape, *ctx.options))
            utterances = zip(of_x, of_bias, grad.contiguous(), bias_in, statistics, kept[::2], kept[1::2], strict=True)
            for utterance in utterances:
                backward.one(*utterance)
            gradients = backward.sums.gradients(backward.block.w)
        return of_x, of_bias, None, None, None, None, *gradients
