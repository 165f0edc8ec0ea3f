"""Share-Concat: both embeddings through one hidden layer, then joined."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ShareConcat"]


class ShareConcat(nn.Module):
    """[k_mix, k_known] W1 + b1 with k = ReLU(. W0 + b0), one W0 for both; hidden layers are batch-normalised.

    Args:
        embedding_dim: size d of the embeddings and of the hidden layer.
        relu_output: end in a ReLU, as equation 7 is printed. Off by default [ours]: a ReLU cannot reach an
            embedding of either sign, and Section 3.3 exempts the embedding layer from it.

    Source: Shi & Hain, arXiv 2001.06397, equation 7.
    """

    def __init__(self, embedding_dim: int, *, relu_output: bool = False):
        super().__init__()
        self.hidden = nn.Linear(embedding_dim, embedding_dim)
        self.norm = nn.BatchNorm1d(embedding_dim)
        self.output = nn.Linear(2 * embedding_dim, embedding_dim)
        self.relu_output = relu_output

    def forward(self, mixture: Tensor, known: Tensor) -> Tensor:
        """Embeddings of the mixture and of the known speaker, (B, d) each, to that of the other speaker, (B, d)."""
        # One pass for both, so that the shared normalisation sees mixtures and speakers with the same statistics.
        hidden = self.norm(torch.relu(self.hidden(torch.cat([mixture, known], 0))))  # (2B, d)
        other = self.output(torch.cat(hidden.chunk(2, 0), 1))
        return torch.relu(other) if self.relu_output else other
