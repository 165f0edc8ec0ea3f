"""Layer normalisation of each frame over its channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChannelNorm(nn.LayerNorm):
    """Layer norm over C of (B, C, L), in single precision."""

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L)."""
        with torch.autocast(frames.device.type, enabled=False):
            out = functional.layer_norm(
                frames.float().transpose(1, 2), self.normalized_shape, self.weight, self.bias, self.eps
            )
        return out.transpose(1, 2).to(frames.dtype)
