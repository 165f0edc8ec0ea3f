"""Masking of stretches of time and bands of frequency, in training only.

Source: Park et al., "SpecAugment", Interspeech 2019; here the masked part is set to the utterance's own mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.signal.front_end_config import MfccConfig
from zspex_toolkit.signal.mel import lifted_cosine_transform


@dataclass(frozen=True)
class MaskConfig:
    """Widest masks; each item draws one width and place of either kind."""

    max_frames: int = 0  # longest masked stretch; 0: none
    max_bins: int = 0  # widest masked band in mel filters; 0: none


class Masking:
    """Mask cepstra as if their log mel spectrum were masked.

    Cepstra are a linear transform of the log mel spectrum, so what a band of filters adds to them can be taken out:
    exactly if there are as many cepstra as filters, and in the least-squares sense if there are fewer.

    Args:
        config: widest masks.
        mfcc: what the features were made with.

    Raises:
        ConfigError: if there are fewer filters than ``max_bins``, or the first coefficient is the energy of the frame,
            which no band of filters explains.
    """

    def __init__(self, config: MaskConfig, mfcc: MfccConfig):
        if not 0 <= config.max_bins <= mfcc.num_mel_bins or config.max_frames < 0:
            raise ConfigError(
                f"mask: expected max_frames of 0 or more and max_bins from 0 to {mfcc.num_mel_bins} (the mel filters), "
                f"got {config.max_frames} and {config.max_bins}"
            )
        if config.max_bins and mfcc.use_energy:
            raise ConfigError("mask.max_bins: needs features made with --use-energy=false (C0 in place of the energy)")
        self._config = config
        transform = lifted_cosine_transform(mfcc.num_mel_bins, mfcc.num_ceps, lifter=mfcc.cepstral_lifter)
        self._to_cepstra = transform.float()  # (M, F)
        self._to_mel = torch.linalg.pinv(transform).float()  # (F, M)

    def __call__(self, feats: Tensor, rng: np.random.Generator) -> Tensor:
        """(L, F) features to a masked copy; the same tensor if there is nothing to mask."""
        frames = int(rng.integers(self._config.max_frames + 1)) if self._config.max_frames else 0
        bins = int(rng.integers(self._config.max_bins + 1)) if self._config.max_bins else 0
        if not frames and not bins:
            return feats
        mean = feats.mean(0)
        masked = feats.clone()
        if bins:
            first = int(rng.integers(self._to_mel.shape[1] - bins + 1))
            band = slice(first, first + bins)
            masked -= (feats - mean) @ self._to_mel[:, band] @ self._to_cepstra[band]
        if frames:
            first = int(rng.integers(max(len(feats) - frames, 0) + 1))
            masked[first : first + frames] = mean
        return masked
