"""Modulate: the known speaker conditions the frames of the mixture, before they are pooled into one embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Modulate"]


class Modulate(nn.Module):
    """A seventh function [ours]: the known embedding scales and shifts the channels of the embedder's frame layers.

    The six printed functions see the mixture as one vector, in which both speakers are already averaged over time.
    This one tells the embedder whom to ignore while it still sees single frames, most of which one of the two
    speakers dominates. The pooled embedding then goes through the form of Separate-Concat.

    Args:
        embedding_dim: size d of the embeddings.
        modulated_channels: widths of the frame layers that are modulated; derived from the embedder.
        hidden: width of the shared hidden layer that reads the known embedding.

    Source: feature-wise linear modulation, Perez et al., AAAI 2018.
    """

    def __init__(self, embedding_dim: int, *, modulated_channels: tuple[int, ...], hidden: int = 256):
        super().__init__()
        self.read = nn.Sequential(nn.Linear(embedding_dim, hidden), nn.ReLU(), nn.BatchNorm1d(hidden))
        self.scales = nn.ModuleList(nn.Linear(hidden, width) for width in modulated_channels)
        self.shifts = nn.ModuleList(nn.Linear(hidden, width) for width in modulated_channels)
        for layer in [*self.scales, *self.shifts]:  # starts as the pre-trained embedder, unmodulated
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.output = nn.Linear(embedding_dim + hidden, embedding_dim)

    def modulation(self, known: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(B, d) to the scale and shift, (B, C) each, of every modulated layer."""
        hidden = self.read(known)
        return [(1 + scale(hidden), shift(hidden)) for scale, shift in zip(self.scales, self.shifts, strict=True)]

    def forward(self, mixture: Tensor, known: Tensor) -> Tensor:
        """Embedding of the modulated mixture and of the known speaker, (B, d) each, to the other's, (B, d)."""
        return self.output(torch.cat([mixture, self.read(known)], 1))
