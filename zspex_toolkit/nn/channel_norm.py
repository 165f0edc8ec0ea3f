"""Layer normalisation of each frame over its channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """Layer norm over C of (..., L, C), in single precision under autocast too."""

    def forward(self, frames: Tensor) -> Tensor:
        """(..., L, C) to the same."""
        with torch.autocast(frames.device.type, enabled=False):
            return super().forward(frames.float()).to(frames.dtype)
