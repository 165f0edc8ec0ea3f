"""The formulations that layers compute by, each timed beside torch's own layer for the same result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.nn.pointwise import Rectifier
from zspex_toolkit.nn.sequence_norm import SequenceNorm
from zspex_toolkit.nn.speech_coder import overlap_add
from zspex_toolkit.nn.tcn import dilated_depthwise

BATCH, FRAMES, CHANNELS, DILATION, KERNEL = 2, 800, 256, 16, 160


@dataclass(frozen=True)
class Formulation:
    """Two ways to one result.

    Attributes:
        name: the layer.
        plain_name: torch's own for it.
        ours, plain: functions of frames (B, L, C), with a gradient.
    """

    name: str
    plain_name: str
    ours: Callable[[Tensor], Tensor]
    plain: Callable[[Tensor], Tensor]


def formulations() -> Iterator[Formulation]:
    """Every layer that is not computed as torch's own layer of that name does."""

    def channels_first(layer: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda frames: layer(frames.transpose(1, 2)).transpose(1, 2)

    rectifier = Rectifier()
    yield Formulation("PReLU", "functional.prelu", rectifier, lambda frames: functional.prelu(frames, rectifier.weight))
    norm = SequenceNorm(CHANNELS, causal=False)
    group_norm = channels_first(lambda frames: functional.group_norm(frames, 1, norm.weight, norm.bias, norm.eps))
    yield Formulation("global layer norm", "functional.group_norm", norm, group_norm)
    taps = nn.Conv1d(CHANNELS, CHANNELS, 3, padding=DILATION, dilation=DILATION, groups=CHANNELS)
    padding = (0, 0, DILATION, DILATION)
    yield Formulation(
        "dilated depthwise convolution",
        "Conv1d",
        lambda frames: dilated_depthwise(functional.pad(frames, padding), taps),
        channels_first(taps),
    )
    synthesis = nn.ConvTranspose1d(CHANNELS, 1, KERNEL, KERNEL // 16, bias=False)
    yield Formulation(
        "decoder",
        "ConvTranspose1d",
        lambda frames: overlap_add(frames, synthesis),
        lambda frames: synthesis(frames.transpose(1, 2))[:, 0],
    )


def measure_formulations(num_runs: int = 5) -> dict[str, tuple[float, float]]:
    """CPU seconds of a forward and backward pass, ours and torch's own, the shortest of alternating runs on one thread.

    Returns:
        by :attr:`Formulation.name` and :attr:`Formulation.plain_name`, joined by " / ".
    """
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {f"{one.name} / {one.plain_name}": _measure(one, num_runs) for one in formulations()}
    finally:
        torch.set_num_threads(num_threads)


def _measure(formulation: Formulation, num_runs: int) -> tuple[float, float]:
    frames = torch.randn(BATCH, FRAMES, CHANNELS, requires_grad=True)
    rounds = [[_seconds(way, frames) for way in (formulation.ours, formulation.plain)] for _ in range(num_runs + 1)]
    ours, plain = (min(column) for column in zip(*rounds[1:], strict=True))
    return ours, plain


def _seconds(layer: Callable[[Tensor], Tensor], frames: Tensor) -> float:
    start = time.process_time()
    out = layer(frames)
    out.backward(torch.ones_like(out))
    return time.process_time() - start
