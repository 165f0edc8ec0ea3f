"""The way into a TF-GridNet and out of it: convolutions over frames and bins."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError


class GridEncoder(nn.Module):
    """Features of bins and of their neighbours in both directions to bands.

    Args:
        num_bins: F.
        num_features: of a bin.
        channels: N.
        stride: bins from band to band; a band sees as many bins to both sides. 1: 3 x 3 as published.

    Attributes:
        num_bands: K = floor((F - 1) / stride) + 1.

    Raises:
        ConfigError: for a stride under one, or over all bins.

    Source: Wang et al., "TF-GridNet", IEEE/ACM TASLP 2023; the stride is ours.
    """

    def __init__(self, num_bins: int, num_features: int, channels: int, stride: int = 1):
        if not 1 <= stride < num_bins:
            raise ConfigError(f"bin_stride: expected 1 to {num_bins - 1} for spectra of {num_bins} bins, got {stride}")
        super().__init__()
        self.num_bands = (num_bins - 1) // stride + 1
        self.convolution = nn.Conv2d(num_features, channels, (3, 2 * stride + 1), (1, stride), (1, stride))

    def forward(self, features: Tensor) -> Tensor:
        """(L, B, F, num_features) to (L, B, K, N)."""
        return self.convolution(features.permute(1, 3, 0, 2)).permute(2, 0, 3, 1)


class GridDecoder(nn.Module):
    """Bands to complex numbers of bins, by a transposed convolution.

    Args:
        num_bins: F.
        channels: N.
        stride: as of the encoder.
        num_outputs: Q of each bin.
        as_masks: start at about 1 / Q everywhere, so that outputs of masked spectra sum up to the mixture.

    Source: Wang et al., 2023; the stride and masks are ours.
    """

    def __init__(self, num_bins: int, channels: int, stride: int, num_outputs: int, *, as_masks: bool = False):
        super().__init__()
        self.num_outputs = num_outputs
        self.norm = nn.LayerNorm(channels) if as_masks else nn.Identity()
        more = (num_bins - 1) % stride
        kernel = (3, 2 * stride + 1)
        self.convolution = nn.ConvTranspose2d(channels, 2 * num_outputs, kernel, (1, stride), (1, stride), (0, more))
        if as_masks:
            nn.init.normal_(self.convolution.weight, std=0.01)
            with torch.no_grad():
                self.convolution.bias.view(num_outputs, 2).copy_(torch.tensor([1.0 / num_outputs, 0.0]))

    def forward(self, frames: Tensor) -> Tensor:
        """(L, B, K, N) to complex (Q, L, B, F)."""
        parts = self.convolution(self.norm(frames).permute(1, 3, 0, 2)).float()  # (B, 2 Q, L, F)
        parts = parts.unflatten(1, (self.num_outputs, 2)).permute(1, 3, 0, 4, 2)
        return torch.view_as_complex(parts.contiguous())
