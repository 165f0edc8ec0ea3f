"""What causal layers remember from one chunk of a stream to the next."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# Each layer keeps its own past under itself as the key; an empty one stands for the beginning of a signal.
Memory = dict[nn.Module, Any]


def prepend_past(frames: Tensor, length: int, layer: nn.Module, memory: Memory | None) -> Tensor:
    """Put the last ``length`` frames that ``layer`` saw before the new ones: zeros at the beginning of a signal.

    Args:
        frames: (B, L, C), any L >= 0.
        length: frames to put before, the left context of the layer.
        layer: whose past it is.
        memory: of the stream, updated; None if the whole signal comes at once.

    Returns:
        (B, length + L, C).
    """
    past = None if memory is None else memory.get(layer)
    joined = nn.functional.pad(frames, (0, 0, length, 0)) if past is None else torch.cat([past, frames], 1)
    if memory is not None:
        memory[layer] = joined[:, joined.shape[1] - length :]
    return joined
