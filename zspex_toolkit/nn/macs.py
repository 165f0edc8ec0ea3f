"""What a network costs to run, in multiply-accumulate operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode


@torch.no_grad()
def count_macs(function: Callable[..., Any], *inputs: torch.Tensor | None) -> int:
    """Multiply-accumulate operations of one call, in convolutions and matrix products.

    >>> count_macs(torch.nn.Linear(3, 5), torch.zeros(2, 3))
    30
    """
    with FlopCounterMode(display=False) as counter:
        function(*inputs)
    return counter.get_total_flops() // 2  # a multiplication and an addition count as two
