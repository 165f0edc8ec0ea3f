"""The temporal convolution block of ``tcn_function``, compiled: ``native/tcn_*.cpp``.

What lies between two matrix products is one pass over memory, or none, where the results of a product are worked on
before they are written. All sums and parameters are float32; what products take and what lies between them is of the
dtype that autocast asks for. An utterance at a time, as there. The frames before the first rectification are kept for
the backward pass: in memory they cost less time than the product that gives them.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from ctypes import c_double, c_int, c_int64, c_void_p
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from zspex_toolkit.native.call import call
from zspex_toolkit.native.library import library
from zspex_toolkit.nn.matrix_product import autocast_dtype

NUM_TAPS = 3
_STRIPE = 32  # numbers of channels are filled up to a multiple of it
_SIZES = ("batch", "num_frames", "channels", "hidden", "dilation", "num_threads")
_PARAMETERS = ("slope_in", "gain_in", "offset_in", "taps", "tap_bias", "slope_out", "w_in", "w_out")
_SUMS = ("w_in", "crossed", "total", "centred_total", "gain_in", "offset_in", "taps", "tap_bias", "slopes")


class _Block(ctypes.Structure):
    """``Block`` of native/tcn_block.h."""

    _fields_ = (
        *((name, c_int64) for name in _SIZES),
        *((name, c_double) for name in ("count", "eps")),
        *((name, c_void_p) for name in (*_PARAMETERS, "out_of_gain", "out_of_offset")),
    )


class _Sums(ctypes.Structure):
    """``Sums`` of native/tcn_block.h."""

    _fields_ = tuple((name, c_void_p) for name in _SUMS)


@functools.cache
def _compiled(low: torch.dtype | None) -> tuple[Callable, Callable] | None:
    """The forward and the backward pass."""
    compiled = library()
    if compiled is None:
        return None
    functions = []
    for name, num_pointers in (("forward", 7), ("backward", 9)):
        function = getattr(compiled, f"zspex_tcn_{name}_{'f32' if low is None else 'bf16'}")
        function.argtypes, function.restype = [c_void_p] * num_pointers, c_int
        functions.append(functools.partial(call, function))
    return tuple(functions)


def _low(x: Tensor) -> torch.dtype | None:
    low = autocast_dtype(x.device.type)
    return None if low == torch.float32 else low


def applies(x: Tensor, taps: Tensor) -> bool:
    """True where the compiled block can do what ``tcn_function`` would."""
    if x.device.type != "cpu" or x.dtype != torch.float32 or len(taps) != NUM_TAPS or not x.numel():
        return False
    return _low(x) in (None, torch.bfloat16) and _compiled(_low(x)) is not None


def _filled(tensor: Tensor, *dimensions: int) -> Tensor:
    """Contiguous, and with zeros up to a multiple of 32 in these dimensions."""
    padding = [0, 0] * tensor.dim()
    for dimension in dimensions:
        padding[2 * (tensor.dim() - 1 - dimension) + 1] = -tensor.shape[dimension] % _STRIPE
    return (F.pad(tensor, padding) if any(padding) else tensor).contiguous()


class NativeBlock:
    """The block's parameters as the compiled passes take them.

    Args:
        w: ``tcn_function.BlockWeights``, float32.
        shape: (B, L, C) of the input.
        low: dtype of the factors of products; None: float32.
    """

    def __init__(self, w: Any, shape: torch.Size, dilation: int, eps: float, low: torch.dtype | None):
        self.dtype, (self.forward, self.backward) = low or torch.float32, _compiled(low)
        self.w = w = type(w)(*(tensor.contiguous() for tensor in w))
        self.num_hidden = len(w.w_in)
        self.filled = {
            "slope_in": w.slope_in,
            "gain_in": _filled(w.gain_in, 0),
            "offset_in": _filled(w.offset_in, 0),
            "taps": _filled(w.taps, 1),
            "tap_bias": _filled(w.tap_bias, 0),
            "slope_out": w.slope_out,
            "w_in": _filled(w.w_in, 0, 1),
            "w_out": (w_out := _filled(w.w_out * w.gain_out, 0, 1)),
            "out_of_gain": w_out.sum(1),
            "out_of_offset": _filled(torch.addmv(w.b_out, w.w_out, w.offset_out), 0),
        }
        batch, num_frames, _ = shape
        self.hidden, self.channels = len(self.filled["w_in"]), len(w_out)
        self.num_shares = min(batch, torch.get_num_threads())
        sizes = batch, num_frames, self.channels, self.hidden, dilation, self.num_shares
        self._block = _Block(
            *sizes, num_frames * self.num_hidden, eps, *(tensor.data_ptr() for tensor in self.filled.values())
        )
        self.address = ctypes.addressof(self._block)

    def output(self, x: Tensor, bias_in: Tensor, *, keep: bool) -> tuple[Tensor, ...]:
        """y (B, L, C), and what the gradients need if it is to be kept: statistics, rounded input, first product."""
        y, statistics = torch.empty_like(x), x.new_empty(len(x), 4, dtype=torch.float64)
        frames = x if self.dtype == torch.float32 else x.new_empty(x.shape if keep else 0, dtype=self.dtype)
        z = x.new_empty((*x.shape[:2], self.hidden) if keep else 0, dtype=self.dtype)
        pointers = [tensor.data_ptr() or None for tensor in (x, bias_in, y, statistics, frames, z)]
        self.forward(self.address, *pointers)
        return y, statistics, frames, z

    def gradients(self, grad: Tensor, bias_in: Tensor, statistics: Tensor, frames: Tensor, z: Tensor) -> tuple:
        """Of x (B, L, C), of bias_in (B, H), and of the weights."""
        of_x, of_bias = torch.empty_like(grad), torch.empty_like(bias_in)
        sums = [self._no_sums() for _ in range(self.num_shares)]
        addresses = (_Sums * len(sums))(*(_Sums(*(one[name].data_ptr() for name in _SUMS)) for one in sums))
        pointers = [tensor.data_ptr() for tensor in (grad, bias_in, statistics, frames, z, of_x, of_bias)]
        self.backward(self.address, *pointers, ctypes.addressof(addresses))
        total = sums[0] if len(sums) == 1 else {name: sum(one[name] for one in sums) for name in _SUMS}
        return of_x, of_bias, self._of_weights(total)

    def _no_sums(self) -> dict[str, Tensor]:
        channels, hidden = self.channels, self.hidden
        shapes = [(channels, hidden)] * 2 + [(channels,)] * 2 + [(hidden,)] * 2 + [(NUM_TAPS, hidden), (hidden,)]
        sums = dict(zip(_SUMS, map(self.w.b_out.new_zeros, shapes), strict=False))
        return {**sums, "slopes": self.w.b_out.new_zeros(2, dtype=torch.float64)}

    def _of_weights(self, sums: dict[str, Tensor]) -> Any:
        w, slopes = self.w, sums["slopes"].to(torch.float32)
        num_channels, num_hidden = w.w_out.shape
        total, centred_total = sums["total"][:num_channels], sums["centred_total"][:num_channels]
        crossed = sums["crossed"][:num_channels, :num_hidden]
        w_out = (crossed * w.gain_out).addr_(total, w.offset_out).addr_(centred_total, w.gain_out, alpha=-1)
        return type(w)(
            w_in=sums["w_in"][:num_channels, :num_hidden].t(),
            slope_in=slopes[:1],
            gain_in=sums["gain_in"][:num_hidden],
            offset_in=sums["offset_in"][:num_hidden],
            taps=sums["taps"][:, :num_hidden],
            tap_bias=sums["tap_bias"][:num_hidden],
            slope_out=slopes[1:],
            gain_out=(w.w_out * crossed).sum(0).sub_(torch.mv(w.w_out.t(), centred_total)),
            offset_out=torch.mv(w.w_out.t(), total),
            w_out=w_out,
            b_out=total,
        )


class NativeTcnFunction(torch.autograd.Function):
    """The block over a batch, as ``tcn_function.TcnFunction``; ``keep``: a backward pass may follow."""

    @staticmethod
    def forward(ctx, x: Tensor, bias_in: Tensor, dilation: int, eps: float, keep: bool, kind: type, *weights: Tensor):
        ctx.options, ctx.kind, num_channels = (dilation, eps, _low(x)), kind, x.shape[2]
        with torch.autocast("cpu", enabled=False):
            x, bias_in = _filled(x, 2), _filled(bias_in, 1)
            block = NativeBlock(kind(*weights), x.shape, *ctx.options)
            y, *kept = block.output(x, bias_in, keep=keep)
        ctx.save_for_backward(bias_in, *kept, *weights)
        return y[..., :num_channels]

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        bias_in, statistics, frames, z, *weights = ctx.saved_tensors
        with torch.autocast("cpu", enabled=False):
            block = NativeBlock(ctx.kind(*weights), frames.shape, *ctx.options)
            of_x, of_bias, of_weights = block.gradients(_filled(grad, 2), bias_in, statistics, frames, z)
        of_x, of_bias = of_x[..., : grad.shape[2]], of_bias[:, : block.num_hidden]
        return of_x, of_bias, None, None, None, None, *of_weights
