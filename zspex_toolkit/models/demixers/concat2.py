"""Concat2: a hidden layer over both embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Concat2"]


class Concat2(nn.Module):
    """ReLU([e_mix, e_known] W0 + b0) W1; the hidden layer is batch-normalised, the output has no bias.

    Args:
        embedding_dim: size d of the embeddings and of the hidden layer.

    Source: Shi & Hain, arXiv 2001.06397, Section 2.
    """

    def __init__(self, embedding_dim: int):
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(2 * embedding_dim, embedding_dim), nn.ReLU(), nn.BatchNorm1d(embedding_dim)
        )
        self.output = nn.Linear(embedding_dim, embedding_dim, bias=False)

    def forward(self, mixture: Tensor, known: Tensor) -> Tensor:
        """Embeddings of the mixture and of the known speaker, (B, d) each, to that of the other speaker, (B, d)."""
        return self.output(self.hidden(torch.cat([mixture, known], 1)))
