"""Additive angular margin softmax (ArcFace, AAM-softmax) of speaker classes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zspex_toolkit.losses.cross_entropy import cross_entropy

__all__ = ["additive_angular_margin"]


def additive_angular_margin(cosines: Tensor, speaker: Tensor, *, margin: float = 0.2, scale: float = 30.0) -> Tensor:
    """Cross entropy after the angle to the own class has been made ``margin`` wider, a scalar in nats.

    Args:
        cosines: (B, K), between each embedding and each class's weight vector (``cosine_logits``).
        speaker: (B,) class of each row, int64.
        margin: added to the angle of the own class, in radians. Where the sum would pass pi, the cosine is lowered by
            ``margin * sin(margin)`` instead, so that it goes on falling (Deng's published code).
        scale: factor on the cosines; 1 / temperature.

    Raises:
        ValueError: if there is not one class for each row.

    Reference: Deng et al., "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019, eq. 3.

    >>> cosines = torch.tensor([[0.5, 0.5]])                         # 60 degrees from both
    >>> additive_angular_margin(cosines, torch.tensor([0]), margin=math.pi / 6, scale=2.0).round(decimals=4)
    tensor(1.3133)
    """
    if cosines.ndim != 2 or speaker.shape != cosines.shape[:1]:
        raise ValueError(
            f"expected cosines (B, K) and classes (B,), got {tuple(cosines.shape)} and {tuple(speaker.shape)}"
        )
    cosine = cosines.gather(1, speaker[:, None])  # (B, 1)
    sine = (1 - cosine.square()).clamp(min=1e-7).sqrt()
    wider = cosine * math.cos(margin) - sine * math.sin(margin)
    wider = torch.where(cosine > math.cos(math.pi - margin), wider, cosine - margin * math.sin(margin))
    return cross_entropy(scale * cosines.scatter(1, speaker[:, None], wider), speaker)


def cosine_logits(embeddings: Tensor, weight: Tensor) -> Tensor:
    """Cosines (B, K) between embeddings (B, D) and the weight vectors of the classes (K, D)."""
    return nn.functional.linear(nn.functional.normalize(embeddings), nn.functional.normalize(weight))
