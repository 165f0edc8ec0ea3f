"""A switch from the fused computations back to torch's own layers, for counting, comparing and compiling."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import torch
from torch import Tensor

_separate = ContextVar("separate", default=False)


@contextlib.contextmanager
def separate_layers() -> Iterator[None]:
    """Within, networks compute layer by layer with torch's own operations; the result is the same up to rounding.

    Tools that look at single operations (counters of operations, exporters) need it.
    """
    token = _separate.set(True)
    try:
        yield
    finally:
        _separate.reset(token)


def fuses(frames: Tensor) -> bool:
    """Whether fused computations apply: on a CPU, unless switched off or compiled, where a compiler fuses better."""
    return frames.device.type == "cpu" and not torch.compiler.is_compiling() and not _separate.get()
