"""Bands of a spectrum: each has its own way in and its own way out."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError


def band_edges(num_bands: int, num_bins: int, fs: int) -> list[int]:
    """First bins of the bands and the number of bins, K + 1 numbers: equal widths on the mel scale.

    Raises:
        ConfigError: if there are more bands than pairs of bins.

    Source: O'Shaughnessy, "Speech communication: human and machine", 1987 (the scale: 1127 ln(1 + f / 700 Hz)).

    >>> band_edges(4, 129, 8000)
    [0, 14, 36, 72, 129]
    """
    if not 1 <= num_bands <= num_bins // 2:
        raise ConfigError(f"num_bands: expected 1 to {num_bins // 2} for spectra of {num_bins} bins, got {num_bands}")
    top = np.log1p(fs / 2 / 700)
    hertz = 700 * np.expm1(np.linspace(0, top, num_bands + 1))
    edges = [round(float(f) / (fs / 2) * num_bins) for f in hertz]
    for band in range(1, num_bands):  # no band under two bins
        edges[band] = max(edges[band], edges[band - 1] + 2)
    for band in range(num_bands - 1, 0, -1):
        edges[band] = min(edges[band], edges[band + 1] - 2)
    return edges


class BandSplit(nn.Module):
    """Each band's features through a linear layer of its own.

    Args:
        edges: as of :func:`band_edges`.
        num_features: features of a bin.
        channels: N.

    Source: Luo and Yu, "Music source separation with band-split RNN", IEEE/ACM TASLP 2023, Section III.A.
    """

    def __init__(self, edges: list[int], num_features: int, channels: int):
        super().__init__()
        self.widths = [later - earlier for earlier, later in itertools.pairwise(edges)]
        self.layers = nn.ModuleList(nn.Linear(width * num_features, channels) for width in self.widths)

    def forward(self, features: Tensor) -> Tensor:
        """(L, B, F, num_features) to (L, B, K, N)."""
        bands = features.split(self.widths, 2)
        return torch.stack([layer(band.flatten(2)) for layer, band in zip(self.layers, bands, strict=True)], 2)


class BandMask(nn.Module):
    """Complex masks of each band by two layers of its own; untrained they are about one.

    Args:
        edges: as of :func:`band_edges`.
        channels: N.
        hidden: units between the two layers of a band.
        num_masks: masks of each bin, Q.

    Source: Luo and Yu, 2023, Section III.C, with tanh in the place of the gated unit.
    """

    def __init__(self, edges: list[int], channels: int, hidden: int, num_masks: int = 1):
        super().__init__()
        self.num_masks = num_masks
        widths = [later - earlier for earlier, later in itertools.pairwise(edges)]
        self.norm = nn.LayerNorm(channels)
        self.inner = nn.ModuleList(nn.Linear(channels, hidden) for _ in widths)
        self.outer = nn.ModuleList(nn.Linear(hidden, 2 * num_masks * width) for width in widths)
        for layer in self.outer:
            nn.init.normal_(layer.weight, std=0.01)
            with torch.no_grad():
                layer.bias.view(-1, num_masks, 2).copy_(torch.tensor([1.0 / num_masks, 0.0]))

    def forward(self, frames: Tensor) -> Tensor:
        """(L, B, K, N) to complex masks (L, B, F, Q)."""
        bands = self.norm(frames).unbind(2)
        masks = [
            outer(torch.tanh(inner(band))) for inner, outer, band in zip(self.inner, self.outer, bands, strict=True)
        ]
        return torch.view_as_complex(torch.cat(masks, -1).float().unflatten(-1, (-1, self.num_masks, 2)).contiguous())
