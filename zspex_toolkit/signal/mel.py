"""Fixed matrices of the cepstral features: window, mel filters, cosine transform with lifter.

All are computed in double precision; Kaldi's formulas (``feat/feature-window.cc``, ``feat/mel-computations.cc``).
"""

import math

import torch
from torch import Tensor

from zspex_toolkit.signal.front_end_config import WINDOWS


def window_function(name: str, num_samples: int, *, blackman_coeff: float = 0.42) -> Tensor:
    """Window of one frame, (num_samples,), double.

    Args:
        name: one of ``WINDOWS``; "povey" is the Hann window to the power 0.85.
        num_samples: length of the frame.
        blackman_coeff: constant term of the Blackman window.

    Raises:
        ValueError: if the name is unknown.

    >>> window_function("hanning", 5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000], dtype=torch.float64)
    """
    phase = 2 * math.pi * torch.arange(num_samples, dtype=torch.float64) / max(num_samples - 1, 1)
    if name == "povey":
        return (0.5 - 0.5 * torch.cos(phase)) ** 0.85
    if name == "hamming":
        return 0.54 - 0.46 * torch.cos(phase)
    if name == "hanning":
        return 0.5 - 0.5 * torch.cos(phase)
    if name == "rectangular":
        return torch.ones_like(phase)
    if name == "sine":
        return torch.sin(0.5 * phase)
    if name == "blackman":
        return blackman_coeff - 0.5 * torch.cos(phase) + (0.5 - blackman_coeff) * torch.cos(2 * phase)
    raise ValueError(f"window: expected one of {', '.join(WINDOWS)}, got {name!r}")


def mel_scale(frequency: Tensor) -> Tensor:
    """Mel of a frequency in Hz: 1127 ln(1 + f/700)."""
    return 1127.0 * torch.log1p(frequency / 700.0)


def mel_filters(num_bins: int, *, fft_size: int, fs: float, low_hz: float, high_hz: float) -> Tensor:
    """Triangular filters, equally spaced in mel, as weights on the power spectrum.

    Args:
        num_bins: number of filters, F.
        fft_size: N; the spectrum has N // 2 + 1 bins, of which the last (Nyquist) has no weight, as in Kaldi.
        fs: sampling rate in Hz.
        low_hz, high_hz: outer edges of the first and the last filter.

    Returns:
        (N // 2 + 1, F), double.

    Raises:
        ValueError: if a filter is so narrow that no bin of the spectrum falls into it.
    """
    edges = mel_scale(torch.tensor([low_hz, high_hz], dtype=torch.float64))
    width = (edges[1] - edges[0]) / (num_bins + 1)
    centres = edges[0] + width * torch.arange(1, num_bins + 1, dtype=torch.float64)  # (F,)
    mel = mel_scale(torch.arange(fft_size // 2, dtype=torch.float64) * fs / fft_size)
    triangles = (1 - (mel[:, None] - centres).abs() / width).clamp(min=0)  # (N / 2, F)
    if not (triangles > 0).any(dim=0).all():
        raise ValueError(
            f"num_mel_bins: {num_bins} filters between {low_hz:g} and {high_hz:g} Hz are too narrow for the "
            f"{fs / fft_size:g} Hz resolution of a frame; use fewer filters or longer frames"
        )
    return torch.nn.functional.pad(triangles, (0, 0, 0, fft_size // 2 + 1 - len(mel)))


def lifted_cosine_transform(num_bins: int, num_ceps: int, *, lifter: float) -> Tensor:
    """Orthonormal DCT-II of the log filter outputs, each cepstrum times 1 + Q/2 sin(pi n / Q).

    Args:
        num_bins: number of filters, F.
        num_ceps: number of cepstra kept, C <= F.
        lifter: Q; 0 leaves the cepstra as they are.

    Returns:
        (F, C), double.
    """
    n = torch.arange(num_ceps, dtype=torch.float64)
    k = torch.arange(num_bins, dtype=torch.float64)
    matrix = math.sqrt(2 / num_bins) * torch.cos(math.pi / num_bins * (k[:, None] + 0.5) * n)
    matrix[:, 0] = math.sqrt(1 / num_bins)
    if lifter:
        matrix = matrix * (1 + 0.5 * lifter * torch.sin(math.pi * n / lifter))
    return matrix
