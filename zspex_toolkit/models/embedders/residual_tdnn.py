"""Residual time-delay x-vector network: the embedder A of speaker embedding de-mixing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.nn.input_norm import InputNorm
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
        first_context: frames on either side that the first layer sees.
        stride: frames from one window of the first layer to the next [ours; the paper has 1]. At 3 a second has 33
            steps: the layers behind it reach three times as far for a third of the cost.
        normalise_input: centre and scale the features over the training data [ours; the paper has none]. Features whose
            mean is not taken away by the front end need it.

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
        first_context: int = 1,
        stride: int = 1,
        normalise_input: bool = False,
    ):
        super().__init__()
        self.embedding_dim = embedding_dim
        self.norm = InputNorm(feature_dim) if normalise_input else nn.Identity()
        self.first = nn.ModuleList(
            [TdnnLayer(feature_dim, channels, first_context, stride), TdnnLayer(channels, channels)]
        )
        self.blocks = nn.ModuleList(ResidualTdnnBlock(channels) for _ in range(num_blocks))
        self.last = TdnnLayer(channels, pooled_channels)
        self.stride = stride
        self.context = first_context + stride * sum(block.context for block in self.blocks)
        self.modulated_channels = (channels,) * (2 + num_blocks)
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
            modulation: scale and shift, (B, C) each, of the input of every residual block, of the last frame layer and
                of segment 1 before its ReLU: how a de-mixing function that listens for one speaker reaches into the
                network. None for none.

        Returns:
            (B, embedding_dim).
        """
        frames = self.norm(pad_edges(feats, num_frames, self.context).transpose(1, 2))  # (B, F, L + 2 context)
        for layer in self.first:
            frames = layer(frames)
        for position, layer in enumerate([*self.blocks, self.last]):
            if modulation is not None:
                scale, shift = modulation[position]
                frames = torch.addcmul(shift[:, :, None], frames, scale[:, :, None])
            frames = layer(frames)
        steps = None if num_frames is None else torch.div(num_frames - 1, self.stride, rounding_mode="floor") + 1
        affine, *rest = self.segment1
        hidden = affine(statistics_pooling(frames, steps))
        if modulation is not None:
            scale, shift = modulation[-1]
            hidden = hidden * scale + shift
        for layer in rest:
            hidden = layer(hidden)
        return self.segment2(hidden)
