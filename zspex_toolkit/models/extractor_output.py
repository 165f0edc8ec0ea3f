"""What an extractor gives in training."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class ExtractorOutput(NamedTuple):
    """Estimates of the target at every scale, and what the enrollment says of its speaker."""

    estimates: Tensor  # (B, S, T): the target's waveform by the short, the middle and the long filters
    speaker_scores: Tensor  # (B, K): of the training speakers, before the softmax
    embedding: Tensor  # (B, D): of the enrollment's speaker
