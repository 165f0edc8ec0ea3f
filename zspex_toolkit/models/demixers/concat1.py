"""Concat1: one affine transform of both embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Concat1"]


class Concat1(nn.Module):
    """[e_mix, e_known] W + b, W: 2d x d.

    Args:
        embedding_dim: size d of the embeddings.

    Source: Shi & Hain, arXiv 2001.06397, Section 2.
    """

    def __init__(self, embedding_dim: int):
        super().__init__()
        self.output = nn.Linear(2 * embedding_dim, embedding_dim)

    def forward(self, mixture: Tensor, known: Tensor) -> Tensor:
        """Embeddings of the mixture and of the known speaker, (B, d) each, to that of the other speaker, (B, d)."""
        return self.output(torch.cat([mixture, known], 1))
