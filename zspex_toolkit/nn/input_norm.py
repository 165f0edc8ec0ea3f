"""Centre every coefficient of the features, and scale all of them by one number."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class InputNorm(nn.Module):
    """Zero mean of each coefficient and unit mean variance of all, over the training data.

    Batch normalisation would give every cepstrum the same weight, the highest, which hold little but noise, like the
    lowest. One common scale keeps their proportions: orthonormal cepstra then enter as the log mel spectrum would.

    Args:
        num_features: coefficients F.
        momentum: share of a batch in the running statistics, which are used in evaluation.
        eps: least variance.
    """

    def __init__(self, num_features: int, *, momentum: float = 0.1, eps: float = 1e-5):
        super().__init__()
        self.momentum = momentum
        self.eps = eps
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("variance", torch.ones(()))

    def forward(self, frames: Tensor) -> Tensor:
        """(B, F, L) to (B, F, L)."""
        mean, variance = self.mean, self.variance
        if self.training:
            variances, mean = torch.var_mean(frames.detach(), (0, 2), correction=0)
            variance = variances.mean()
            self.mean.lerp_(mean, self.momentum)
            self.variance.lerp_(variance, self.momentum)
        return (frames - mean[:, None]) * (variance + self.eps).rsqrt()
