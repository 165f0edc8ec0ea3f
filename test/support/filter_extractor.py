"""An "extractor" whose right answer is known: it keeps the low half of the band, at a level it chooses anew each time.

The target of the tests lies below 1 kHz and the interferer above, so a linear filter separates them, and what
chunking, projection and blending make of its output can be compared with the filter run over the whole signal.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from zspex_toolkit.models.clue import Clue, clues_per_mixture, mean_embedding

FS = 8000
MIN_ENROLLMENT = 280
PRESENCE = {"bias": 10.0, "energy_db": 1.0, "cosine": 0.0, "usual_gain": 1.0, "quietest_db": -60.0, "loudest_db": 0.0}
_NUM_TAPS = 513


class FilterExtractor(nn.Module):
    """Low-pass filter at 1 kHz; the output of call k is multiplied by ``levels[k]``, going round, plus an offset."""

    num_estimates, num_speakers, clue_dim, latency_samples = 1, None, 0, None
    min_enrollment_samples = MIN_ENROLLMENT
    context_samples = _NUM_TAPS // 2

    def __init__(self, levels=(1.0,), offset=0.0):
        super().__init__()
        time = torch.arange(_NUM_TAPS) - _NUM_TAPS // 2
        taps = torch.sinc(time * 2 * 1000 / FS) * torch.hann_window(_NUM_TAPS, periodic=False)
        self.register_buffer("taps", taps / taps.sum())
        self.levels, self.offset, self.lengths = levels, offset, []

    def clue(self, enrollment, lengths=None):
        """An embedding (B, 2): how loud low and high frequencies are; level does not matter."""
        low = self._low(enrollment).square().mean(1)
        high = (enrollment - self._low(enrollment)).square().mean(1)
        return Clue(torch.stack([low, high], 1) / (low + high)[:, None].clamp_min(1e-12))

    def join(self, clues, weights=None):
        """The mean."""
        return mean_embedding(clues, weights)

    def likeness(self, estimate, clue):
        """Cosine; unknown of short outputs."""
        if estimate.shape[1] < MIN_ENROLLMENT:
            return torch.full((len(estimate),), torch.nan)
        return nn.functional.cosine_similarity(self.clue(estimate).embedding, clue.embedding)

    def extract(self, mixture, clue):
        """(R, T), the same of each mixture for every clue."""
        mixture = mixture.repeat(clues_per_mixture(clue, mixture), 1)
        low = self._low(mixture)
        level = self.levels[len(self.lengths) % len(self.levels)]
        self.lengths.append(mixture.shape[1])
        return level * low + self.offset

    def _low(self, samples):
        size = 1 << (samples.shape[1] + _NUM_TAPS).bit_length()
        spectrum = torch.fft.rfft(samples, size) * torch.fft.rfft(self.taps, size)
        return torch.fft.irfft(spectrum, size)[:, _NUM_TAPS // 2 :][:, : samples.shape[1]]


def spec(presence=None):
    """What an Extractor reads of a model's description."""
    return SimpleNamespace(fs=FS, presence=presence)


def low_noise(num_samples, seed=0, fs=FS, low=200, high=700):
    """Noise between ``low`` and ``high`` Hz with a slow swell, peak 0.25."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(size=num_samples))
    frequency = np.fft.rfftfreq(num_samples, 1 / fs)
    signal = np.fft.irfft(spectrum * ((frequency > low) & (frequency < high)), num_samples)
    signal *= 1 + 0.5 * np.sin(2 * np.pi * 0.7 * np.arange(num_samples) / fs)
    return (0.25 * signal / np.abs(signal).max()).astype(np.float32)


def high_noise(num_samples, seed=1, fs=FS):
    """The interferer: noise between 1.5 and 3 kHz."""
    return low_noise(num_samples, seed, fs, 1500, 3000)
