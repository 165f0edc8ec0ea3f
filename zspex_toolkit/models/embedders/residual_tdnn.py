"""Residual time-delay x-vector network: the embedder A of speaker embedding de-mixing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ResidualTdnn"]


class ResidualTdnn(nn.Module):
    """Features of an utterance to one embedding of its speaker.

    Args:
        feature_dim: coefficients a frame.
        embedding_dim: size of the embedding (segment 2).
        channels: width of the frame layers and of segment 1.
        pooled_channels: width of the last frame layer, whose mean and deviation are pooled.
        num_blocks: residual blocks.
        first_context: frames on either side that the first layer sees.
        stride: frames from one window of the first layer to the next [ours; the paper has 1]. At 3 a second has 33
            steps: the layers behind it reach three times as far for a third of the cost.
        normalise_input: centre and scale the features over the training data [ours; the paper has none]. Features whose
            mean is not taken away by the front end need it.

    Source: Shi & Hain, "Speaker embedding de-mixing", arXiv 2001.06397, Section 3.
    """

    def __init__(
        self,
        feature_dim: int,
        *,
        embedding_dim: int = 512,
        channels: int = 512,
        pooled_channels: int = 1500,
        num_blocks: int = 3,
        first_context: int = 1,
        stride: int = 1,
        normalise_input: bool = False,
    ):
        super().__init__()
        self.embedding_dim = embedding_dim
        self.norm = InputNorm(feature_dim) if normalise_input else nn.Identity()
        self.first = nn.ModuleList(
            [TdnnLayer(feature_dim, channels, first_context, stride), TdnnLayer(channels, channels)]
        )
        self.blocks = nn.ModuleList(ResidualTdnnBlock(channels) for _ in range(num_blocks))
        self.last = TdnnLayer(channels, pooled_channels)
        self.stride = stride
        self.context = first_context + stride * sum(block.context for block in self.blocks)
        self.modulated_channels = (channels,) * (2 + num_blocks)
        self.segment1 = nn.Sequential(nn.Linear(2 * pooled_channels, channels), nn.ReLU(), nn.BatchNorm1d(channels))
        self.segment2 = nn.Linear(channels, embedding_dim)

    def forward(
        self,
        feats: Tensor,
        num_frames: Tensor | None = None,
        modulation: list[tuple[Tensor, Tensor]] | None = None,
    ) -> Tensor:
        """Embed a batch.

        Args:
            feats: (B, L, feature_dim), any L >= 1.
            num_frames: (B,) true frames; None if all L are.
            modulation: scale and shift, (B, C) each, of the input of every residual block, of the last frame layer and
                of segment 1 before its ReLU: how a de-mixing function that listens for one speaker reaches into the
                network. None for none.

        Returns:
            (B, embedding_dim).
        """
        frames = self.norm(pad_edges(feats, num_frames, self.context).transpose(1, 2))  # (B, F, L + 2 context)
        for layer in self.first:
            frames = layer(frames)
        for position, layer in enumerate([*self.blocks, self.last]):
            if modulation is not None:
                scale, shift = modulation[position]
                frames = torch.addcmul(shift[:, :, None], frames, scale[:, :, None])
            frames = layer(frames)
        steps = None if num_frames is None else torch.div(num_frames - 1, self.stride, rounding_mode="floor") + 1
        affine, *rest = self.segment1
        hidden = affine(statistics_pooling(frames, steps))
        if modulation is not None:
            scale, shift = modulation[-1]
            hidden = hidden * scale + shift
        for layer in rest:
            hidden = layer(hidden)
        return self.segment2(hidden)


def pad_edges(feats: Tensor, num_frames: Tensor | None, context: int) -> Tensor:
    """Repeat the first and the last true frame ``context`` times, as Kaldi does at the edges of an utterance.

    Behind it convolutions need no padding of their own, so what lies behind an utterance in a padded batch never
    reaches its true frames: a batch gives exactly what its utterances give alone.

    Args:
        feats: (B, L, F).
        num_frames: (B,) true frames of each utterance; None if all L are.
        context: frames to add on either side.

    Returns:
        (B, L + 2 * context, F).
    """
    length = feats.shape[1]
    index = torch.arange(-context, length + context, device=feats.device).clamp(min=0)[None]  # (1, L + 2 context)
    last = torch.full_like(index[:, :1], length - 1) if num_frames is None else num_frames.to(feats.device)[:, None] - 1
    index = torch.minimum(index, last)  # (B or 1, L + 2 context)
    if num_frames is None:
        return feats[:, index[0]]
    return torch.gather(feats, 1, index[:, :, None].expand(-1, -1, feats.shape[2]))


class TdnnLayer(nn.Module):
    """Affine transform of a window of frames, ReLU, batch normalisation.

    Args:
        in_channels, out_channels: frame width before and after.
        context: frames on either side; the layer sees t - context .. t + context, and gives 2 * context fewer frames.
        stride: frames from one window to the next.
    """

    def __init__(self, in_channels: int, out_channels: int, context: int = 0, stride: int = 1):
        super().__init__()
        self.affine = nn.Conv1d(in_channels, out_channels, 2 * context + 1, stride)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, L) to (B, C', (L - 2 * context - 1) // stride + 1)."""
        return self.norm(torch.relu(self.affine(frames)))


class ResidualTdnnBlock(nn.Module):
    """Two time-delay layers, [t-2..t+2] then [t], added to the block's input.

    Source: Shi & Hain, arXiv 2001.06397, Section 3.
    """

    def __init__(self, channels: int, context: int = 2):
        super().__init__()
        self.context = context
        self.wide = TdnnLayer(channels, channels, context)
        self.narrow = TdnnLayer(channels, channels)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L - 2 * context)."""
        kept = frames[:, :, self.context : frames.shape[2] - self.context]
        return kept + self.narrow(self.wide(frames))


def statistics_pooling(frames: Tensor, num_frames: Tensor | None = None, *, eps: float = 1e-5) -> Tensor:
    """Mean and standard deviation over the true frames.

    Args:
        frames: (B, C, L).
        num_frames: (B,) true frames, each at least 1; None if all L are.
        eps: least variance, so that the gradient of a constant channel is finite.

    Returns:
        (B, 2C): means, then standard deviations (population).

    Source: Snyder et al., "X-vectors", ICASSP 2018.

    >>> statistics_pooling(torch.tensor([[[1.0, 3.0, 100.0]]]), torch.tensor([2]))
    tensor([[2., 1.]])
    """
    frames = frames.float()  # sums over hundreds of frames are too long for half precision
    if num_frames is None:
        variance, mean = torch.var_mean(frames, 2, unbiased=False)
    else:
        count = num_frames.to(frames.device, frames.dtype)[:, None]
        true = torch.arange(frames.shape[2], device=frames.device)[None] < num_frames.to(frames.device)[:, None]
        mask = true[:, None].to(frames.dtype)  # (B, 1, L)
        mean = (frames * mask).sum(2) / count
        variance = ((frames - mean[:, :, None]).square() * mask).sum(2) / count
    return torch.cat([mean, variance.clamp(min=eps).sqrt()], 1)


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
