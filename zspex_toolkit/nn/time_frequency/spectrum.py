"""Short-time spectra whose frames lie on a grid that a stream can follow, and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError


class Spectrum(nn.Module):
    """Square-root Hann windows both ways.

    Frame l ends with sample (l + 1) hop - 1, zeros before the first sample and behind the last one: a frame is
    complete as soon as its hop is, and an output sample as soon as the last frame that holds it is.

    Args:
        window: samples of a frame, W; a multiple of ``hop``, of twice the hop or more.
        hop: samples from frame to frame.

    Attributes:
        num_bins: F = W / 2 + 1.

    Raises:
        ConfigError: if the windows do not add up to one.
    """

    def __init__(self, window: int, hop: int):
        if hop < 1 or window % 2 or window % hop or window < 2 * hop:
            raise ConfigError(f"window: expected an even multiple of the hop ({hop} samples), 2 or more, got {window}")
        super().__init__()
        self.window, self.hop, self.num_bins = window, hop, window // 2 + 1
        self.register_buffer("shape", torch.hann_window(window).sqrt(), persistent=False)

    @classmethod
    def at_rate(cls, fs: int, window_ms: float, hop_ms: float) -> Spectrum:
        """Of a window and a hop in milliseconds at ``fs`` Hz: the hop to the nearest even number of samples.

        >>> [(s.window, s.hop) for s in (Spectrum.at_rate(fs, 32.0, 16.0) for fs in (8000, 44100))]
        [(256, 128), (1412, 706)]
        """
        hop = max(2, 2 * round(hop_ms * fs / 2000))
        return cls(round(hop * window_ms / hop_ms), hop)

    def num_frames(self, num_samples: Tensor | int) -> Tensor | int:
        """Frames L that together hold every sample twice or more."""
        count = num_samples + self.window - self.hop + self.hop - 1
        if torch.is_tensor(count):
            return torch.div(count, self.hop, rounding_mode="floor")
        return count // self.hop

    def forward(self, signal: Tensor) -> Tensor:
        """(B, T), T >= 1, to complex (L, B, F)."""
        length = self.num_frames(signal.shape[1]) * self.hop
        past = self.window - self.hop
        return self.analyse(functional.pad(signal, (past, length - signal.shape[1])))

    def analyse(self, signal: Tensor) -> Tensor:
        """A piece (B, T') with W - hop samples before its first hop, to its whole frames, complex (L, B, F)."""
        with torch.autocast(signal.device.type, enabled=False):
            frames = signal.float().unfold(1, self.window, self.hop).transpose(0, 1)
            return torch.fft.rfft(frames * self.shape)

    def overlap_add(self, spectra: Tensor) -> Tensor:
        """Complex (L, B, F) to the sum of their frames, (B, L hop + W - hop)."""
        with torch.autocast(spectra.device.type, enabled=False):
            scale = self.shape * (2 * self.hop / self.window)
            frames = torch.fft.irfft(spectra, self.window) * scale
        num_samples = (len(frames) - 1) * self.hop + self.window
        return functional.fold(frames.permute(1, 2, 0), (1, num_samples), (1, self.window), stride=(1, self.hop))[
            :, 0, 0
        ]

    def inverse(self, spectra: Tensor, num_samples: int) -> Tensor:
        """Complex (L, B, F) to waveforms (B, T)."""
        past = self.window - self.hop
        return self.overlap_add(spectra)[:, past : past + num_samples]


def true_frames(frames: Tensor, num_frames: Tensor) -> Tensor:
    """Which of frames (L, B, ...) are among the first ``num_frames`` (B,) of their signal: bool (L, B, 1, 1)."""
    return (torch.arange(len(frames), device=frames.device)[:, None] < num_frames)[..., None, None]


def features(spectra: Tensor, level: Tensor) -> Tensor:
    """What a network is shown of spectra: about unit size for speech, and nothing that depends on its level.

    Args:
        spectra: complex (L, B, F).
        level: root mean square of the signals, over all frames (B,) or up to each (L, B).

    Returns:
        (L, B, F, 3): real and imaginary part, compressed by the power 0.3 of the magnitude, and the log power.
    """
    parts = torch.view_as_real(spectra) / level.clamp_min(1e-8)[..., None, None]
    power = parts.square().sum(-1, keepdim=True)
    compressed = parts * (power + 1e-4).pow(-0.35)
    return torch.cat([compressed, 0.2 * torch.log(power + 1e-4)], -1)
