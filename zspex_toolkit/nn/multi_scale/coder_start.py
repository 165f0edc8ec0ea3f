"""A start for learned filter banks that already analyses and resynthesises: windowed cosines of both signs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder


def windowed_cosines(size: int, count: int) -> Tensor:
    """First ``count`` vectors of the orthonormal discrete cosine transform of ``size`` samples, times a sine window.

    Returns:
        (count, size); count <= size.
    """
    time = (torch.arange(size, dtype=torch.float64) + 0.5) * (math.pi / size)
    cosines = torch.cos(torch.arange(count)[:, None] * time) * math.sqrt(2 / size)
    cosines[:1] /= math.sqrt(2)
    return (cosines * torch.sin(time)).float()


@torch.no_grad()
def start_as_cosines(encoder: SpeechEncoder, decoder: SpeechDecoder) -> None:
    """Let encoder and decoder begin as windowed cosine transforms whose frames add up to the signal.

    Behind the encoder's ReLU a value needs two filters, of either sign. Half of the N filters of a scale are therefore
    the lowest cosines, the other half the same, negated. With as many of either as the kernel has samples, and a
    kernel of two or more strides that it is a multiple of, the reconstruction is exact; with fewer, the signal comes
    back without its high frequencies. With more, the rest keep the start they have, and the decoder ignores them.

    Training goes on from there: see docs/models.md for what it gains.
    """
    stride = encoder.stride
    for analysis, synthesis, size in zip(encoder.filters, decoder.filters, encoder.kernel_sizes, strict=True):
        count = min(len(analysis.weight) // 2, size)
        cosines = windowed_cosines(size, count)[:, None]  # (count, 1, size)
        signed = torch.cat([cosines, -cosines])
        analysis.weight[: 2 * count] = signed
        analysis.bias[: 2 * count] = 0
        synthesis.weight.zero_()
        synthesis.weight[: 2 * count] = signed * (2 * stride / size)  # squared windows add up to size / (2 stride)
        synthesis.bias.zero_()
