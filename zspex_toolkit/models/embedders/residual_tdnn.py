"""Residual time-delay x-vector network: the embedder A of speaker embedding de-mixing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.nn.statistics_pooling import statistics_pooling
from zspex_toolkit.nn.tdnn import ResidualTdnnBlock, TdnnLayer, pad_edges

__all__ = ["ResidualTdnn"]


class ResidualTdnn(nn.Module):
    """Features of an utterance to one embedding of its speaker.

    Args:
        feature_dim: coefficients a frame.
        embedding_dim: size of the embedding (segment 2).
        channels: width of the frame layers and of segment 1.
        pooled_channels: width of the last frame layer, whose mean and deviation are pooled.
        num_blocks: residual blocks.
        dropout: share of the pooled statistics dropped in training [ours; the paper has none].

    Source: Shi & Hain, "Speaker embedding de-mixing", arXiv 2001.06397, Section 3.
    """

    def __init__(
        self,
        feature_dim: int,
        *,
        embedding_dim: int = 512,
        channels: int = 512,
        pooled_channels: int = 1500,
        num_blocks: int = 3,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.embedding_dim = embedding_dim
        self.first = nn.ModuleList([TdnnLayer(feature_dim, channels, 1), TdnnLayer(channels, channels)])
        self.blocks = nn.ModuleList(ResidualTdnnBlock(channels) for _ in range(num_blocks))
        self.last = TdnnLayer(channels, pooled_channels)
        self.context = 1 + sum(block.context for block in self.blocks)
        self.modulated_channels = (channels,) * (1 + num_blocks)
        self.dropout = nn.Dropout(dropout)
        self.segment1 = nn.Sequential(nn.Linear(2 * pooled_channels, channels), nn.ReLU(), nn.BatchNorm1d(channels))
        self.segment2 = nn.Linear(channels, embedding_dim)

    def forward(
        self,
        feats: Tensor,
        num_frames: Tensor | None = None,
        modulation: list[tuple[Tensor, Tensor]] | None = None,
    ) -> Tensor:
        """Embed a batch.

        Args:
            feats: (B, L, feature_dim), any L >= 1.
            num_frames: (B,) true frames; None if all L are.
            modulation: scale and shift, (B, C) each, of the input of every residual block and of the last frame
                layer: how a de-mixing function that listens for one speaker reaches into the frames. None for none.

        Returns:
            (B, embedding_dim).
        """
        frames = pad_edges(feats, num_frames, self.context).transpose(1, 2)  # (B, F, L + 2 context)
        for layer in self.first:
            frames = layer(frames)
        for position, layer in enumerate([*self.blocks, self.last]):
            if modulation is not None:
                scale, shift = modulation[position]
                frames = torch.addcmul(shift[:, :, None], frames, scale[:, :, None])
            frames = layer(frames)
        pooled = self.dropout(statistics_pooling(frames, num_frames))
        return self.segment2(self.segment1(pooled))
