"""Batch normalisation that does not count what a batch was padded with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch norm over the true frames of (B, C, L); in evaluation, and if all frames are true, as ``BatchNorm1d``."""

    def forward(self, frames: Tensor, true: Tensor | None = None) -> Tensor:
        """(B, C, L), and which frames are true, (B, 1, L) bool or None for all, to (B, C, L)."""
        with torch.autocast(frames.device.type, enabled=False):
            if true is None or not self.training:
                out = super().forward(frames.float())
            else:
                out = self._over_true_frames(frames.float(), true)
        return out.to(frames.dtype)

    def _over_true_frames(self, frames: Tensor, true: Tensor) -> Tensor:
        count = true.sum().clamp(min=1)
        mean = (frames * true).sum((0, 2)) / count  # (C,)
        centred = frames - mean[:, None]
        variance = (centred.square() * true).sum((0, 2)) / count
        self.count_batch(mean, variance, count)
        gain = self.weight * (variance + self.eps).rsqrt()
        return torch.addcmul(self.bias[:, None], centred, gain[:, None])

    @torch.no_grad()
    def count_batch(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Let the moments (C,) of ``count`` frames enter the running ones."""
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
