"""Compiled passes over memory, and the matrix products between them: the ground that fused layers stand on."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

import torch
from torch import Tensor

from zspex_toolkit.native.call import call
from zspex_toolkit.native.library import library
from zspex_toolkit.nn.matrix_product import autocast_dtype, product
from zspex_toolkit.nn.separate_layers import fuses

LANES = 16  # channels that the passes take at once
_SUFFIXES = {torch.float32: "f32", torch.bfloat16: "bf16"}


def factor_dtype(frames: Tensor, *widths: int) -> torch.dtype | None:
    """What products of these frames multiply, float32 or bfloat16; None if the passes do not apply.

    They want a compiler, a CPU, single precision, and numbers of channels (``widths``) that fill vectors.
    """
    fits = frames.dtype == torch.float32 and frames.numel() and all(width % LANES == 0 for width in widths)
    if not (fits and fuses(frames) and library() is not None):
        return None
    low = autocast_dtype(frames.device.type) or torch.float32
    return low if low in _SUFFIXES else None


def run_pass(name: str, dtype: torch.dtype | None, *arguments: Tensor | int | float | None) -> None:
    """Call ``zspex_<name>`` of the library.

    Args:
        dtype: of the frames, where there is a function for each type.
        arguments: tensors must be contiguous, and of the types that the function declares; None is a null pointer.

    Raises:
        TypeError: for a tensor that is neither float32 nor int64 nor of ``dtype``.
        ValueError: for one that is not on the CPU, or has gaps.
        MemoryError: without enough memory.
    """
    taken = {torch.float32, torch.int64, dtype or torch.float32}
    function = getattr(library(), f"zspex_{name}" + (f"_{_SUFFIXES[dtype]}" if dtype else ""))
    call(function, *[_convert(argument, name, taken) for argument in arguments])


def _convert(argument: Tensor | int | float | None, name: str, taken: set[torch.dtype]):
    if argument is None:
        return ctypes.c_void_p()
    if isinstance(argument, Tensor):
        if argument.dtype not in taken:
            expected = ", ".join(sorted(map(str, taken)))
            raise TypeError(f"{name}: expected tensors of {expected}, found {argument.dtype}")
        if argument.device.type != "cpu" or not argument.is_contiguous():
            where = f"on {argument.device}, with strides {argument.stride()} for shape {tuple(argument.shape)}"
            raise ValueError(f"{name}: expected contiguous tensors on the CPU, found one {where}")
        return ctypes.c_void_p(argument.data_ptr())
    return ctypes.c_float(argument) if isinstance(argument, float) else ctypes.c_int64(argument)


def true_counts(num_frames: Tensor | None, batch: int, length: int) -> Tensor:
    """True frames (B,) as passes read them: all L if None, and never more, as they would read behind the end."""
    if num_frames is None:
        return torch.full((batch,), length, device="cpu")
    return num_frames.long().clamp(0, length).contiguous()


def without_autocast(function: Callable) -> Callable:
    """The function, within which autocast is off: a backward pass may be called where it is on."""

    @functools.wraps(function)
    def run(*arguments):
        with torch.autocast("cpu", enabled=False):
            return function(*arguments)

    return run


def times(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ weight.T + bias`` in the type of ``rows``: (R, C), (C', C) to (R, C')."""
    weight = weight.to(rows.dtype)
    if rows.dtype == torch.float32:
        return product(rows, weight, bias)
    return torch.nn.functional.linear(rows, weight, None if bias is None else bias.to(rows.dtype))


def times_transposed(rows: Tensor, weight: Tensor) -> Tensor:
    """``rows @ weight`` in the type of ``rows``: (R, C'), (C', C) to (R, C)."""
    if rows.dtype == torch.float32:
        return product(rows, weight.t())
    return torch.mm(rows, weight.to(rows.dtype))


def weight_gradient(grad: Tensor, rows: Tensor) -> Tensor:
    """``grad.T @ rows`` in single precision: (R, C'), (R, C) to (C', C)."""
    if rows.dtype == torch.float32:
        return product(grad.t(), rows.t())
    return torch.mm(grad.t(), rows).float()
