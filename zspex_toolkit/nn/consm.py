"""Conditional speaker modulation: the embedding scales and shifts every channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.nn.sequence_norm import sequence_norm
from zspex_toolkit.nn.streaming import Memory


class ConSM(nn.Module):
    """gamma(e) * x + beta(e), with x normalised first; gamma starts at 1 and beta at 0 for every speaker.

    Args:
        channels: C.
        embedding_dim: D.
        norm: normalise over channels and time first, without gain and bias [ours].
        causal: normalise over what has been heard.

    Source: Chen et al., "MC-SpEx", Interspeech 2023; the formula is a reading of its block diagram.
    """

    def __init__(self, channels: int, embedding_dim: int, *, norm: bool = True, causal: bool = False):
        super().__init__()
        self.norm = sequence_norm(channels, causal=causal, affine=False) if norm else None
        self.gamma = nn.Linear(embedding_dim, channels)
        self.beta = nn.Linear(embedding_dim, channels)
        for layer, start in ((self.gamma, 1.0), (self.beta, 0.0)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, start)

    def forward(self, frames: Tensor, embedding: Tensor, memory: Memory | None = None) -> Tensor:
        """(B, L, C) and (B, D) to (B, L, C)."""
        gamma, beta = self.gamma(embedding)[:, None], self.beta(embedding)[:, None]
        normed = frames if self.norm is None else self.norm(frames, memory=memory)
        return torch.addcmul(beta, gamma, normed)
