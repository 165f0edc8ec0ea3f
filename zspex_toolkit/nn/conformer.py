"""Layers of the Conformer: subsampling, attention with rotary positions, convolution, the block.

Source: Gulati et al., "Conformer: convolution-augmented Transformer for speech recognition", Interspeech 2020. Two
things differ. Positions are rotary (Su et al., "RoFormer", 2021) in place of Transformer-XL's, so that attention is
torch's own fused kernel. The convolution is normalised over channels in place of the batch, so that neither the padding
nor the other rows of a batch change a row.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError


class ConvSubsampling(nn.Module):
    """Convolutions of stride 2, one after another: (B, L, F) to (B, L', D).

    Args:
        num_features: F.
        dim: D.
        channels: of the convolutions.
        factor: L over L', a power of two.
    """

    def __init__(self, num_features: int, dim: int, *, channels: int, factor: int = 4):
        super().__init__()
        if factor not in (2, 4, 8):
            raise ConfigError(f"subsampling: expected 2, 4 or 8, got {factor}")
        self.factor = factor
        inputs = [1, channels, channels][: factor.bit_length() - 1]
        self.layers = nn.ModuleList(nn.Conv2d(width, channels, 3, stride=2, padding=1) for width in inputs)
        for _ in self.layers:
            num_features = shorter(num_features)
        self.output = nn.Linear(channels * num_features, dim)

    def forward(self, feats: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
        """Frames beyond ``num_frames`` must be 0; (B, L', D) and (B,) frames."""
        hidden = feats[:, None]  # (B, C, L, F)
        for layer in self.layers:
            hidden, num_frames = functional.silu(layer(hidden)), shorter(num_frames)
            inside = torch.arange(hidden.shape[2], device=feats.device) < num_frames[:, None]
            hidden = hidden * inside[:, None, :, None]  # what lies in the padding is of no frame
        return self.output(hidden.transpose(1, 2).flatten(2)), num_frames


def shorter(length: int | Tensor) -> int | Tensor:
    """Length after one convolution of width 3, padding 1 and stride 2.

    >>> shorter(80), shorter(81)
    (40, 41)
    """
    return (length + 1) // 2


def rotary_table(length: int, head_dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine of each position's angles, (length, head_dim) each; neighbours share an angle."""
    rates = 10000.0 ** (-torch.arange(0, head_dim, 2, device=device, dtype=torch.float32) / head_dim)
    angles = torch.arange(length, device=device, dtype=torch.float32)[:, None] * rates
    angles = angles.repeat_interleave(2, dim=-1)
    return angles.cos(), angles.sin()


def rotate(values: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    """Turn (..., L, head_dim) by its positions: products of two then depend on their distance alone."""
    cos, sin = (part.to(values.dtype) for part in table)
    pairs = values.unflatten(-1, (-1, 2))
    turned = torch.stack([-pairs[..., 1], pairs[..., 0]], dim=-1).flatten(-2)
    return values * cos + turned * sin


class RotaryAttention(nn.Module):
    """Multi-head self-attention over the frames of each row."""

    def __init__(self, dim: int, num_heads: int, dropout: float):
        super().__init__()
        if dim % (2 * num_heads):
            raise ConfigError(f"dim: expected a multiple of {2 * num_heads}, twice the heads, got {dim}")
        self.num_heads, self.dropout = num_heads, dropout
        self.input = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)

    def forward(self, frames: Tensor, mask: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
        """(B, L, D), (B, L) true within a row; (B, L, D)."""
        query, key, value = self.input(frames).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(
            rotate(query, table),
            rotate(key, table),
            value,
            attn_mask=mask[:, None, None, :],
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.output(attended.transpose(1, 2).flatten(2))


class ConvolutionModule(nn.Module):
    """Gated pointwise, depthwise and pointwise convolution over time."""

    def __init__(self, dim: int, kernel_size: int):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size: expected an odd number, got {kernel_size}")
        self.gate = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.output = nn.Linear(dim, dim)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) true within a row; (B, L, D)."""
        gated = functional.glu(self.gate(frames), dim=-1) * mask[..., None]
        mixed = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)
        return self.output(functional.silu(self.norm(mixed)))


def feed_forward(dim: int, hidden: int, dropout: float) -> nn.Sequential:
    """Normalise, widen, narrow."""
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.SiLU(), nn.Dropout(dropout), nn.Linear(hidden, dim)
    )


class ConformerBlock(nn.Module):
    """Half a feed-forward step, attention, convolution, the other half; each is added to its input.

    Args:
        dim: D.
        num_heads: of the attention; D is a multiple of twice as many.
        kernel_size: frames of the depthwise convolution, odd.
        expansion: width of the feed-forward layers over D.
        dropout: after each of the four, within the feed-forward layers and on attention weights.
    """

    def __init__(self, dim: int, *, num_heads: int, kernel_size: int, expansion: int, dropout: float):
        super().__init__()
        self.first = feed_forward(dim, expansion * dim, dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = RotaryAttention(dim, num_heads, dropout)
        self.convolution_norm = nn.LayerNorm(dim)
        self.convolution = ConvolutionModule(dim, kernel_size)
        self.second = feed_forward(dim, expansion * dim, dropout)
        self.norm = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Tensor, mask: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
        """(B, L, D), (B, L) true within a row and the rotary table; (B, L, D)."""
        frames = frames + 0.5 * self.dropout(self.first(frames))
        frames = frames + self.dropout(self.attention(self.attention_norm(frames), mask, table))
        frames = frames + self.dropout(self.convolution(self.convolution_norm(frames), mask))
        frames = frames + 0.5 * self.dropout(self.second(frames))
        return self.norm(frames)
