"""Embeddings of another network, such as x-vectors, for a network that was made for its own."""

from __future__ import annotations

from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.multi_scale.resnet_speaker_encoder import ResNetSpeakerEncoder


class GivenEmbedding(nn.Module):
    """Embeddings, brought to one length, through a linear layer: cosines are what tells speakers apart.

    Args:
        clue_dim: numbers of an embedding that is given.
        embedding_dim: D of what the network takes.

    Raises:
        ConfigError: for fewer than one number.
    """

    def __init__(self, clue_dim: int, embedding_dim: int):
        if clue_dim < 1:
            raise ConfigError(f"clue_dim: expected 0 (the network's own clues) or more, got {clue_dim}")
        super().__init__()
        self.clue_dim = clue_dim
        self.project = nn.Linear(clue_dim, embedding_dim)

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, clue_dim) to (B, D), in single precision."""
        unit = nn.functional.normalize(embedding.float(), dim=1)
        return self.project(unit * self.clue_dim**0.5).float()


def own_or_given(
    clue_dim: int, channels: int, hidden: int, embedding_dim: int
) -> ResNetSpeakerEncoder | GivenEmbedding:
    """The speaker encoder of a network; if ``clue_dim`` is not 0, the way in for embeddings of so many numbers."""
    if clue_dim:
        return GivenEmbedding(clue_dim, embedding_dim)
    return ResNetSpeakerEncoder(channels, hidden, embedding_dim)
