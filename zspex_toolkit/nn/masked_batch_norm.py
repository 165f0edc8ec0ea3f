"""Batch normalisation that does not count what a batch was padded with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch norm over the true frames of (B, L, C); in evaluation, and if all frames are true, as ``BatchNorm1d``."""

    def forward(self, frames: Tensor, true: Tensor | None = None) -> Tensor:
        """(B, L, C), and which frames are true, (B, L, 1) bool or None for all, to (B, L, C)."""
        with torch.autocast(frames.device.type, enabled=False):
            if true is None or not self.training:
                out = super().forward(frames.float().flatten(0, 1)).view_as(frames)
            else:
                out = self._over_true_frames(frames.float(), true)
        return out.to(frames.dtype)

    def _over_true_frames(self, frames: Tensor, true: Tensor) -> Tensor:
        count = true.sum().clamp(min=1)
        mean = (frames * true).sum((0, 1)) / count  # (C,)
        centred = frames - mean
        variance = (centred.square() * true).sum((0, 1)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
        return torch.addcmul(self.bias, centred, self.weight * (variance + self.eps).rsqrt())
