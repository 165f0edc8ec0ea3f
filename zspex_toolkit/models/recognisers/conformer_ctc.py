"""Conformer encoder with connectionist temporal classification (CTC)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.conformer import ConformerBlock, ConvSubsampling, rotary_table
from zspex_toolkit.signal.log_mel import LogMel, LogMelConfig
from zspex_toolkit.signal.spec_augment import SpecAugmentConfig, spec_augment
from zspex_toolkit.signal.utterance_cmvn import frame_mask, utterance_cmvn

__all__ = ["ConformerCtc"]

SMALL = {"dim": 16, "num_blocks": 2, "num_heads": 2, "kernel_size": 5, "channels": 4, "num_mel_bins": 20}


class Recognition(NamedTuple):
    """What a recogniser says of a batch."""

    log_probs: Tensor  # (B, L, V) of each token in each frame; token 0 is CTC's blank
    num_frames: Tensor  # (B,)
    intermediate: list[Tensor]  # (B, L, V) of blocks on the way, in training alone


class ConformerCtc(nn.Module):
    """Waveforms to the log probabilities of tokens.

    The defaults have 10 million parameters, as the Conformer (S) of its paper; with ``dim`` and ``channels`` 256 it has
    the 30 million of the (M).

    Args:
        num_tokens: V; token 0 is the blank.
        fs: rate of the waveforms in Hz.
        dim: D.
        num_blocks, num_heads, kernel_size, expansion: of the encoder.
        channels: of the subsampling convolutions.
        subsampling: frames of the features for each of the encoder's: 2, 4 or 8.
        dropout: share of values that are left out in training.
        num_mel_bins: filters of the front end.
        cmvn: utterance, or global: by mean and deviation of the training set (:meth:`set_statistics`).
        spec_augment: settings of the masks in training; none if empty.
        intermediate_blocks: blocks, counted from 1, whose frames are also scored in training, by the same output layer.
            Source: Lee and Watanabe, "Intermediate loss regularization for CTC-based speech recognition", ICASSP 2021.

    Raises:
        ConfigError: for an option out of its range.
    """

    def __init__(
        self,
        num_tokens: int,
        *,
        fs: int = 16000,
        dim: int = 160,
        num_blocks: int = 16,
        num_heads: int = 4,
        kernel_size: int = 31,
        expansion: int = 4,
        channels: int = 160,
        subsampling: int = 4,
        dropout: float = 0.1,
        num_mel_bins: int = 80,
        cmvn: str = "utterance",
        spec_augment: dict[str, int | float] | None = None,
        intermediate_blocks: tuple[int, ...] = (),
    ):
        super().__init__()
        if cmvn not in ("utterance", "global"):
            raise ConfigError(f"cmvn: expected utterance or global, got '{cmvn}'")
        if any(not 1 <= block < num_blocks for block in intermediate_blocks):
            raise ConfigError(
                f"intermediate_blocks: expected numbers from 1 to {num_blocks - 1}, below the {num_blocks} blocks, "
                f"got {list(intermediate_blocks)}"
            )
        self.front_end = LogMel(LogMelConfig(fs=fs, num_mel_bins=num_mel_bins))
        self.cmvn = cmvn
        self.masks = SpecAugmentConfig(**spec_augment) if spec_augment else None
        self.intermediate_blocks = tuple(intermediate_blocks)
        if cmvn == "global":
            self.register_buffer("mean", torch.zeros(num_mel_bins))
            self.register_buffer("deviation", torch.ones(num_mel_bins))
        self.subsampling = ConvSubsampling(num_mel_bins, dim, channels=channels, factor=subsampling)
        self.dropout = nn.Dropout(dropout)
        layers = {"num_heads": num_heads, "kernel_size": kernel_size, "expansion": expansion, "dropout": dropout}
        self.blocks = nn.ModuleList(ConformerBlock(dim, **layers) for _ in range(num_blocks))
        self.output = nn.Linear(dim, num_tokens)
        self.head_dim = dim // num_heads

    def num_output_frames(self, num_samples: int) -> int:
        """Frames of the output for a waveform of so many samples."""
        frames = self.front_end.config.framing.num_frames(num_samples)
        return (frames + self.subsampling.factor - 1) // self.subsampling.factor

    def output_shift_s(self) -> float:
        """Seconds between two frames of the output."""
        return self.subsampling.factor * self.front_end.config.frame_shift_ms / 1000

    @torch.no_grad()
    def set_statistics(self, mean: Tensor, deviation: Tensor) -> None:
        """Mean and standard deviation (F,) of the training set's log-mel features, for ``cmvn`` global."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp(min=1e-3))

    def features(self, waveforms: Tensor, num_samples: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised log-mel (B, L, F), zero beyond a row's frames, and (B,) frames."""
        with torch.autocast(waveforms.device.type, enabled=False):
            feats, num_frames = self.front_end(waveforms.float(), num_samples)
            if self.cmvn == "utterance":
                return utterance_cmvn(feats, num_frames), num_frames
            inside = frame_mask(num_frames, feats.shape[1], feats.device)[..., None]
            return torch.where(inside, (feats - self.mean) / self.deviation, 0), num_frames

    def forward(self, waveforms: Tensor, num_samples: Tensor) -> Recognition:
        """Log probabilities of tokens; rows do not influence each other, nor does padding.

        Args:
            waveforms: (B, T) in [-1, 1].
            num_samples: (B,) valid samples.
        """
        feats, num_frames = self.features(waveforms, num_samples)
        if self.training and self.masks:
            feats = spec_augment(feats, num_frames, self.masks)
        frames, num_frames = self.subsampling(feats, num_frames)
        frames = self.dropout(frames)
        mask = frame_mask(num_frames, frames.shape[1], frames.device)
        table = rotary_table(frames.shape[1], self.head_dim, frames.device)
        intermediate = []
        for number, block in enumerate(self.blocks, start=1):
            frames = block(frames, mask, table)
            if self.training and number in self.intermediate_blocks:
                intermediate.append(self.output(frames).float().log_softmax(-1))
        return Recognition(self.output(frames).float().log_softmax(-1), num_frames, intermediate)
