"""Log-mel energies, batched, on any device; equal to Kaldi's ``compute-fbank-feats``."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zspex_toolkit.signal.front_end_config import MfccConfig
from zspex_toolkit.signal.mfcc import Mfcc


@dataclass(frozen=True)
class LogMelConfig:
    """Settings of log-mel features."""

    fs: int = 16000  # sampling rate in Hz
    num_mel_bins: int = 80
    low_hz: float = 20.0  # lower edge of the first filter
    high_hz: float = 0.0  # upper edge of the last filter; zero or less: counted from half the sampling rate
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0

    @property
    def framing(self) -> MfccConfig:
        """Frames, window and filters, as the cepstra of the toolkit have them; there is a frame for each shift."""
        return MfccConfig(
            fs=self.fs,
            frame_length_ms=self.frame_length_ms,
            frame_shift_ms=self.frame_shift_ms,
            num_mel_bins=self.num_mel_bins,
            num_ceps=self.num_mel_bins,
            low_hz=self.low_hz,
            high_hz=self.high_hz,
            use_energy=False,
            cepstral_lifter=0.0,
            snip_edges=False,
        )

    def __post_init__(self):
        _ = self.framing  # checks the values


class LogMel(nn.Module):
    """Waveforms to log-mel frames; no gradient flows through.

    These are the cepstra of :class:`~zspex_toolkit.signal.mfcc.Mfcc` before their cosine transform: the identity is in
    its place.

    >>> feats, num_frames = LogMel(LogMelConfig(num_mel_bins=40))(torch.zeros(2, 16000))
    >>> feats.shape, num_frames
    (torch.Size([2, 100, 40]), tensor([100, 100]))
    """

    def __init__(self, config: LogMelConfig = LogMelConfig()):
        super().__init__()
        self.config = config
        self.frames = Mfcc(config.framing)
        self.frames.cosine = torch.eye(*self.frames.cosine.shape)

    def forward(self, waveforms: Tensor, num_samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features of a batch; rows do not influence each other, nor does what lies beyond ``num_samples``.

        Args:
            waveforms: (B, T) in [-1, 1].
            num_samples: (B,) valid samples; all T if None.

        Returns:
            (B, L, F) features, zero beyond the frames of a row, and (B,) number of frames.
        """
        return self.frames(waveforms, num_samples)
