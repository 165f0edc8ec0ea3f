"""Modulate: the known speaker conditions the embedder itself, before the mixture is pooled into one embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Modulate"]


class Modulate(nn.Module):
    """A seventh function [ours]: the known embedding scales and shifts the channels of the embedder's layers.

    The six printed functions see the mixture as one vector, in which both speakers are already averaged over time.
    This one tells the embedder whom to ignore while it still sees single frames, most of which one of the two
    speakers dominates. What it gives is the modulated embedder's own output, so training starts from the embedding of
    the mixture. The known embedding is standardised over the speakers and divided by the square root of its size:
    speakers then lie about 1 apart, and small weights modulate little.

    Args:
        embedding_dim: size d of the embeddings.
        modulated_channels: widths of the layers that are modulated; derived from the embedder.

    Source: feature-wise linear modulation, Perez et al., AAAI 2018.
    """

    def __init__(self, embedding_dim: int, *, modulated_channels: tuple[int, ...]):
        super().__init__()
        self.norm = nn.BatchNorm1d(embedding_dim, affine=False)
        self.scales = nn.ModuleList(nn.Linear(embedding_dim, width) for width in modulated_channels)
        self.shifts = nn.ModuleList(nn.Linear(embedding_dim, width) for width in modulated_channels)
        self.output = nn.Linear(embedding_dim, embedding_dim)
        for layer in [*self.scales, *self.shifts, self.output]:  # starts close to the pre-trained embedder
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def modulation(self, known: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(B, d) to the scale and shift, (B, C) each, of every modulated layer."""
        speaker = self._standardised(known)
        return [(1 + scale(speaker), shift(speaker)) for scale, shift in zip(self.scales, self.shifts, strict=True)]

    def forward(self, mixture: Tensor, known: Tensor) -> Tensor:
        """Embedding of the modulated mixture and of the known speaker, (B, d) each, to the other's, (B, d)."""
        return mixture + self.output(self._standardised(known))

    def _standardised(self, known: Tensor) -> Tensor:
        with torch.autocast(known.device.type, enabled=False):
            return self.norm(known.float()) / known.shape[1] ** 0.5
