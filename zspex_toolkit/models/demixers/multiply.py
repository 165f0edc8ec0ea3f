"""Mul: gate the mixture's embedding by the known speaker's."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Multiply"]


class Multiply(nn.Module):
    """(e_mix * e_known) W + b, element by element.

    Args:
        embedding_dim: size d of the embeddings.

    Source: Shi & Hain, arXiv 2001.06397, Section 2.
    """

    def __init__(self, embedding_dim: int):
        super().__init__()
        self.output = nn.Linear(embedding_dim, embedding_dim)

    def forward(self, mixture: Tensor, known: Tensor) -> Tensor:
        """Embeddings of the mixture and of the known speaker, (B, d) each, to that of the other speaker, (B, d)."""
        return self.output(mixture * known)
