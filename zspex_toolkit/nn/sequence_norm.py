"""Normalisation over channels and time: of the whole signal (gLN), or of what has been heard so far."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.nn.streaming import Memory


class SequenceNorm(nn.Module):
    """Zero mean and unit variance over channels and time, then a gain and a bias per channel.

    Args:
        num_channels: C.
        causal: cumulative layer norm: frame t by the mean and variance over all channels of frames 0..t; otherwise
            global layer norm (gLN), over all frames.
        affine: have gain and bias.
        eps: added to the variance.

    Source: Luo & Mesgarani, "Conv-TasNet", IEEE/ACM TASLP 2019, equations 10-12 (global) and 13-15 (cumulative).
    """

    def __init__(self, num_channels: int, *, causal: bool, affine: bool = True, eps: float = 1e-5):
        super().__init__()
        self.causal = causal
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(num_channels)) if affine else None

    def forward(self, frames: Tensor, num_frames: Tensor | None = None, memory: Memory | None = None) -> Tensor:
        """Normalise.

        Args:
            frames: (B, L, C).
            num_frames: (B,) true frames, each at least 1, which alone are counted; None if all L are. Of no use to a
                causal norm: what stands behind the true frames does not reach them.
            memory: of the stream, for a causal norm; None if the whole signal comes at once.

        Returns:
            (B, L, C), of the type of ``frames``. Mean and variance are taken in single precision.
        """
        assert self.causal or memory is None, "gLN needs the whole signal; stream with a causal norm"
        with torch.autocast(frames.device.type, enabled=False):
            if self.causal:
                normed = self._cumulative(frames.float(), memory)
            elif num_frames is None:
                normed = functional.layer_norm(frames.float(), frames.shape[1:], eps=self.eps)
            else:
                normed = self._over_true_frames(frames.float(), num_frames.to(frames.device))
            if self.weight is not None:
                normed = torch.addcmul(self.bias, normed, self.weight)
            return normed.to(frames.dtype)

    def _over_true_frames(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        num_frames = num_frames[:, None, None]
        true = torch.arange(frames.shape[1], device=frames.device)[:, None] < num_frames  # (B, L, 1)
        count = frames.shape[2] * num_frames
        centred = frames - (frames * true).sum((1, 2), keepdim=True) / count
        variance = (centred.square() * true).sum((1, 2), keepdim=True) / count
        return centred * (variance + self.eps).rsqrt()

    def _cumulative(self, frames: Tensor, memory: Memory | None) -> Tensor:
        variance, mean = torch.var_mean(frames, 2, unbiased=False)  # (B, L): of each frame
        # Double precision: an hour of frames is summed up, and a mean square less a squared mean cancels.
        variance, mean = variance.double(), mean.double()
        moments = torch.stack([mean, variance + mean.square()]).cumsum(2)  # (2, B, L)
        past, count = (0, 0) if memory is None else memory.get(self, (0, 0))
        if torch.is_tensor(past):
            moments = moments + past
        seen = count + torch.arange(1, frames.shape[1] + 1, device=frames.device)
        if memory is not None:
            memory[self] = (moments[:, :, -1:], count + frames.shape[1])
        mean, mean_square = moments / seen
        gain = (mean_square - mean.square() + self.eps).rsqrt()[:, :, None].float()
        return (frames - mean[:, :, None].float()) * gain
