"""The enrollment's side of a network over bands: its speaker as one vector, and frame by frame.

All parts take frames of any number of bands. Where that is another than their own ``num_bands``, as in networks with a
band for each bin, they see so many means of neighbouring bands, and what they do is the same for neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.time_frequency.spectrum import true_frames


class BandPooling(nn.Module):
    """Mean and deviation over time of each band, frames weighed by how much they tell; then one vector.

    Args:
        num_bands: K.
        channels: N.
        embedding_dim: D.

    Source: Okabe et al., "Attentive statistics pooling for deep speaker embedding", Interspeech 2018.
    """

    def __init__(self, num_bands: int, channels: int, embedding_dim: int):
        super().__init__()
        self.num_bands = num_bands
        self.norm = nn.LayerNorm(channels)
        self.weigh = nn.Linear(channels, 1)
        self.project = nn.Linear(2 * num_bands * channels, embedding_dim)
        self.out_norm = nn.LayerNorm(embedding_dim)

    def forward(self, frames: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Frames (U, R, K, N), of which the first ``num_frames`` (R,) count (None: all), to embeddings (R, D)."""
        frames = self.norm(_means(frames.float(), self.num_bands))
        scores = self.weigh(frames).float()
        if num_frames is not None:
            scores = scores.masked_fill(~true_frames(frames, num_frames), -torch.inf)
        weights = scores.softmax(0)
        mean = (weights * frames).sum(0)
        spread = ((weights * frames.square()).sum(0) - mean.square()).clamp_min(1e-5).sqrt()
        return self.out_norm(self.project(torch.cat([mean, spread], -1).flatten(1))).float()


class SpeakerScaling(nn.Module):
    """Scale and shift of every channel of every band by the speaker's embedding; untrained it changes nothing.

    Args:
        embedding_dim: D.
        num_bands: K.
        channels: N.

    Source: Perez et al., "FiLM: visual reasoning with a general conditioning layer", AAAI 2018.
    """

    def __init__(self, embedding_dim: int, num_bands: int, channels: int):
        super().__init__()
        self.num_bands = num_bands
        self.project = nn.Linear(embedding_dim, 2 * num_bands * channels)
        nn.init.normal_(self.project.weight, std=0.01)
        nn.init.zeros_(self.project.bias)

    def forward(self, frames: Tensor, embedding: Tensor) -> Tensor:
        """Frames (L, R, K, N) and embeddings (R, D) to frames."""
        both = self.project(embedding).float().view(len(embedding), 2, self.num_bands, -1)
        scale, shift = _spread(both, frames.shape[2]).unbind(1)
        return torch.addcmul(shift, frames, 1 + scale)


class FrameAttention(nn.Module):
    """Each frame of the mixture looks for its like among the enrollment's, and takes over what is found there.

    Args:
        num_bands: K.
        channels: N.
        key_dim, value_dim: of all heads together.
        num_heads: looks, each for a likeness of its own.

    Raises:
        ConfigError: if the heads cannot share keys and values out evenly.

    Source: Zeng and Li, "USEF-TSE: universal speaker embedding free target speaker extraction", 2024.
    """

    def __init__(self, num_bands: int, channels: int, key_dim: int, value_dim: int, num_heads: int):
        for name, size in (("key_dim", key_dim), ("value_dim", value_dim)):
            if num_heads < 1 or size % num_heads:
                raise ConfigError(f"{name}: expected a multiple of num_heads ({num_heads}), got {size}")
        super().__init__()
        size = num_bands * channels
        self.num_bands, self.num_heads, self.key_dim = num_bands, num_heads, key_dim
        self.query_norm, self.memory_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.query = nn.Linear(size, key_dim)
        self.memory = nn.Linear(size, key_dim + value_dim)
        self.out = nn.Linear(value_dim, size)

    def remember(self, frames: Tensor) -> Tensor:
        """Frames of enrollments (U, R, K, N) to their keys and values, (R, key_dim + value_dim, U)."""
        return self.memory(self.memory_norm(_means(frames, self.num_bands).flatten(2))).float().permute(1, 2, 0)

    def forward(self, frames: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Frames (L, R, K, N), what is remembered (R, C, U), which of it counts (R, U), to frames."""
        query = self.query(self.query_norm(_means(frames, self.num_bands).flatten(2)))
        keys, values = memory.to(query.dtype).split([self.key_dim, memory.shape[1] - self.key_dim], 1)
        heads = (self.num_heads, -1)
        found = functional.scaled_dot_product_attention(
            query.unflatten(2, heads).permute(1, 2, 0, 3),
            keys.unflatten(1, heads).transpose(2, 3),
            values.unflatten(1, heads).transpose(2, 3),
            attn_mask=None if mask is None else mask[:, None, None],
        )
        found = self.out(found.permute(2, 0, 1, 3).flatten(2)).unflatten(2, (self.num_bands, -1))
        return frames + _spread(found, frames.shape[2])


def _means(frames: Tensor, num_bands: int) -> Tensor:
    """(L, R, K, N) to means of neighbouring bands, (L, R, num_bands, N)."""
    if frames.shape[2] == num_bands:
        return frames
    return functional.adaptive_avg_pool2d(frames, (num_bands, frames.shape[3]))


def _spread(frames: Tensor, num_bands: int) -> Tensor:
    """(L, R, K, N) to ``num_bands`` bands, each with what is nearest, (L, R, num_bands, N)."""
    if frames.shape[2] == num_bands:
        return frames
    return functional.interpolate(frames, (num_bands, frames.shape[3]))
