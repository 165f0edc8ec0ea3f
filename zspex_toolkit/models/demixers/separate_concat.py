"""Separate-Concat: each embedding through a hidden layer of its own, then joined."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["SeparateConcat"]


class SeparateConcat(nn.Module):
    """[k_mix, k_known] W2 + b2 with k_mix = ReLU(e_mix W00 + b00) and k_known = ReLU(e_known W01 + b01).

    Args:
        embedding_dim: size d of the embeddings and of the hidden layers, which are batch-normalised.
        relu_output: end in a ReLU, as equation 8 is printed. Off by default [ours]: a ReLU cannot reach an
            embedding of either sign, and Section 3.3 exempts the embedding layer from it.

    Source: Shi & Hain, arXiv 2001.06397, equation 8.
    """

    def __init__(self, embedding_dim: int, *, relu_output: bool = False):
        super().__init__()
        self.hidden_mixture = _hidden(embedding_dim)
        self.hidden_known = _hidden(embedding_dim)
        self.output = nn.Linear(2 * embedding_dim, embedding_dim)
        self.relu_output = relu_output

    def forward(self, mixture: Tensor, known: Tensor) -> Tensor:
        """Embeddings of the mixture and of the known speaker, (B, d) each, to that of the other speaker, (B, d)."""
        other = self.output(torch.cat([self.hidden_mixture(mixture), self.hidden_known(known)], 1))
        return torch.relu(other) if self.relu_output else other


def _hidden(dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.BatchNorm1d(dim))
