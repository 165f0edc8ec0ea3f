"""SpecAugment: masks over stretches of time and bands of frequency, a batch at once.

Source: Park et al., "SpecAugment", Interspeech 2019, Section 2, without time warping; the masked part is set to 0, the
mean of normalised features. The longest time mask is a share of the utterance, as in Park et al., "SpecAugment on large
scale datasets", ICASSP 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.signal.utterance_cmvn import frame_mask


@dataclass(frozen=True)
class SpecAugmentConfig:
    """How many masks, and how wide."""

    num_time_masks: int = 2  # of each utterance; 0: none
    max_frames: int = 40  # longest time mask
    max_time_share: float = 0.05  # longest time mask as a share of the utterance
    num_bands: int = 2  # frequency masks of each utterance; 0: none
    max_bins: int = 27  # widest frequency mask in filters

    def __post_init__(self):
        for name in ("num_time_masks", "max_frames", "num_bands", "max_bins"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not 0 <= self.max_time_share <= 1:
            raise ConfigError(f"max_time_share: expected a number from 0 to 1, got {self.max_time_share}")


def spec_augment(feats: Tensor, num_frames: Tensor, config: SpecAugmentConfig) -> Tensor:
    """Masked features; widths and places are drawn from torch's generator on the device.

    Args:
        feats: (B, L, F), normalised.
        num_frames: (B,) valid frames; masks lie within them.
        config: number and widths of masks.

    Returns:
        (B, L, F).
    """
    num_frames = num_frames.to(feats.device)
    longest = (num_frames * config.max_time_share).clamp(max=config.max_frames)
    widest = torch.full_like(longest, min(config.max_bins, feats.shape[2]))
    all_bins = torch.full_like(num_frames, feats.shape[2])
    hidden = _drawn(config.num_time_masks, longest, num_frames, feats.shape[1])[..., None]
    hidden = hidden | _drawn(config.num_bands, widest, all_bins, feats.shape[2])[:, None, :]
    return feats.masked_fill(hidden, 0.0)


def _drawn(number: int, widest: Tensor, extent: Tensor, length: int) -> Tensor:
    """(B, length) true within one of ``number`` stretches of up to ``widest``, inside the first ``extent``."""
    shape = (len(extent), number, 1)
    width = (torch.rand(shape, device=extent.device) * (widest[:, None, None] + 1)).floor()
    start = (torch.rand(shape, device=extent.device) * (extent[:, None, None] - width + 1)).floor()
    place = torch.arange(length, device=extent.device)
    inside = ((place >= start) & (place < start + width)).any(dim=1)
    return inside & frame_mask(extent, length, extent.device)
