"""Speaker classifier B: tells which enrolled speaker an embedding belongs to."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Mlp"]


class Mlp(nn.Module):
    """One hidden layer, then one score a speaker.

    Args:
        embedding_dim: size of the embeddings.
        num_speakers: classes.
        hidden: width of the hidden layer (affine, ReLU, batch normalisation).

    Source: Shi & Hain, arXiv 2001.06397, Section 3.
    """

    def __init__(self, embedding_dim: int, num_speakers: int, *, hidden: int = 512):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(embedding_dim, hidden), nn.ReLU(), nn.BatchNorm1d(hidden), nn.Linear(hidden, num_speakers)
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, embedding_dim) to unnormalised scores (B, num_speakers)."""
        return self.layers(embedding)
