"""From frames to signals: masks, masked encodings, and the way back to waveforms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.nn.mask_generator import ScaleInterMasks
from zspex_toolkit.nn.passes import factor_dtype
from zspex_toolkit.nn.separation_function import SeparationFunction
from zspex_toolkit.nn.speech_coder import SpeechDecoder


def separate(
    frames: Tensor, encodings: Tensor, mask_generator: nn.Module, decoder: SpeechDecoder, num_samples: int
) -> Tensor:
    """Signals of all scales, (B, S, T).

    Args:
        frames: (B, C, L), what the masks are made from.
        encodings: (B, S, N, L), what is masked.
        mask_generator: ``SeparateMasks`` or ``ScaleInterMasks``.
        decoder: of as many scales.
        num_samples: T.
    """
    exchange = mask_generator.exchange if isinstance(mask_generator, ScaleInterMasks) else None
    weights = () if exchange is None else exchange.weights()
    widths = (encodings.shape[2], *((exchange.hidden,) if exchange else ()))
    dtype = factor_dtype(frames, *widths)
    if dtype is None or weights is None:
        return decoder(encodings * mask_generator(frames), num_samples)
    eps, project = exchange.norm.eps if exchange else 0.0, mask_generator.project
    filters = [layer.weight[:, 0] for layer in decoder.filters], [layer.bias for layer in decoder.filters]
    with torch.autocast("cpu", enabled=False):
        return SeparationFunction.apply(
            frames.transpose(1, 2),
            encodings.permute(0, 3, 1, 2),
            *(dtype, eps, decoder.grid(num_samples), project.weight[:, :, 0], project.bias),
            *(*filters[0], *filters[1], *weights),
        )
