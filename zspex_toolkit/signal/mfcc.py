"""Mel-frequency cepstral coefficients, batched, on any device; equal to Kaldi's ``compute-mfcc-feats``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zspex_toolkit.signal.framing import count_frames, mirror_edges
from zspex_toolkit.signal.mel import lifted_cosine_transform, mel_filters, window_function

INT16_SCALE = 32768.0  # Kaldi computes on samples in the range of 16-bit integers
EPSILON = torch.finfo(torch.float32).eps  # floor of energies before the logarithm
CHUNK_FRAMES = {"cpu": 256}  # frames at once: what stays in the cache of a core
CHUNK_FRAMES_ELSEWHERE = 65536


@dataclass(frozen=True)
class MfccConfig:
    """Settings of the features; Kaldi's names are in docs/data_format.md, its defaults except ``dither``."""

    fs: int = 16000  # sampling rate in Hz
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    num_mel_bins: int = 23
    num_ceps: int = 13  # cepstra kept, C0 (or the energy) included
    low_hz: float = 20.0  # lower edge of the first filter
    high_hz: float = 0.0  # upper edge of the last filter; zero or less: counted from half the sampling rate
    dither: float = 0.0  # standard deviation of added noise, in 16-bit steps; Kaldi's own default is 1
    preemphasis: float = 0.97
    remove_dc: bool = True  # subtract the mean of every frame
    window: str = "povey"  # povey, hamming, hanning, rectangular, sine or blackman
    blackman_coeff: float = 0.42
    use_energy: bool = True  # the first coefficient is the log energy of the frame instead of C0
    raw_energy: bool = True  # energy before pre-emphasis and window
    energy_floor: float = 0.0  # smallest energy, absolute; 0: none
    cepstral_lifter: float = 22.0  # 0: none
    snip_edges: bool = True  # only frames fully within the signal; otherwise one per shift, edges mirrored
    round_to_power_of_two: bool = True  # zero-pad frames to a power of two for the Fourier transform

    @property
    def frame_length(self) -> int:
        """Samples in a frame."""
        return int(self.fs * 0.001 * self.frame_length_ms)

    @property
    def frame_shift(self) -> int:
        """Samples between the starts of two frames."""
        return int(self.fs * 0.001 * self.frame_shift_ms)

    @property
    def upper_hz(self) -> float:
        """Upper edge of the last filter in Hz."""
        return self.high_hz if self.high_hz > 0 else self.fs / 2 + self.high_hz


class Mfcc(nn.Module):
    """Waveforms to MFCC frames.

    >>> feats, num_frames = Mfcc(MfccConfig(num_ceps=20, num_mel_bins=30))(torch.zeros(2, 16000))
    >>> feats.shape, num_frames
    (torch.Size([2, 98, 20]), tensor([98, 98]))
    """

    def __init__(self, config: MfccConfig = MfccConfig()):
        super().__init__()
        self.config = config
        length = config.frame_length
        self.fft_size = 1 << (length - 1).bit_length() if config.round_to_power_of_two else length
        window = window_function(config.window, length, blackman_coeff=config.blackman_coeff)
        filters = mel_filters(
            config.num_mel_bins, fft_size=self.fft_size, fs=config.fs, low_hz=config.low_hz, high_hz=config.upper_hz
        )
        cosine = lifted_cosine_transform(config.num_mel_bins, config.num_ceps, lifter=config.cepstral_lifter)
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("filters", filters.float(), persistent=False)
        self.register_buffer("cosine", cosine.float(), persistent=False)

    def forward(
        self,
        waveforms: Tensor,
        num_samples: Tensor | None = None,
        *,
        generators: Sequence[torch.Generator] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Features of a batch; rows do not influence each other, nor does what lies beyond ``num_samples``.

        Args:
            waveforms: (B, T) in [-1, 1].
            num_samples: (B,) valid samples; all T if None.
            generators: one per row for the dither; torch's global one if None.

        Returns:
            (B, L, F) features, zero beyond the frames of a row, and (B,) number of frames.
        """
        config = self.config
        if num_samples is None:
            num_samples = torch.full((len(waveforms),), waveforms.shape[1], device=waveforms.device)
        num_samples = num_samples.to(waveforms.device)
        num_frames = count_frames(
            num_samples,
            frame_length=config.frame_length,
            frame_shift=config.frame_shift,
            snip_edges=config.snip_edges,
        )
        longest = int(num_frames.max()) if len(num_frames) else 0
        if longest == 0:
            return waveforms.new_zeros(len(waveforms), 0, config.num_ceps), num_frames
        if config.dither:
            waveforms = waveforms + self._noise(waveforms, generators)
        frames = self._frames(waveforms * INT16_SCALE, num_samples, longest)
        feats = torch.stack([self._features(row) for row in frames])
        valid = torch.arange(longest, device=feats.device) < num_frames[:, None]
        return torch.where(valid[..., None], feats, 0), num_frames

    def _noise(self, waveforms: Tensor, generators: Sequence[torch.Generator] | None) -> Tensor:
        generators = generators or [None] * len(waveforms)
        rows = [
            torch.randn(row.shape, generator=g, device=row.device) for row, g in zip(waveforms, generators, strict=True)
        ]
        return torch.stack(rows) * (self.config.dither / INT16_SCALE)

    def _frames(self, waveforms: Tensor, num_samples: Tensor, longest: int) -> Tensor:
        """(B, T) to a view (B, L, frame_length)."""
        length, shift = self.config.frame_length, self.config.frame_shift
        if not self.config.snip_edges:
            before = length // 2 - shift // 2
            waveforms = mirror_edges(waveforms, num_samples.clamp(min=1), before=before, after=length)
        waveforms = nn.functional.pad(waveforms, (0, max(0, (longest - 1) * shift + length - waveforms.shape[1])))
        return waveforms.unfold(1, length, shift)[:, :longest]

    def _features(self, frames: Tensor) -> Tensor:
        """(L, frame_length) to (L, num_ceps), chunk by chunk."""
        chunk = CHUNK_FRAMES.get(frames.device.type, CHUNK_FRAMES_ELSEWHERE)
        return torch.cat([self._chunk(part) for part in frames.split(chunk)])

    def _chunk(self, frames: Tensor) -> Tensor:
        config = self.config
        if config.remove_dc:
            frames = frames - frames.mean(dim=1, keepdim=True)
        raw = frames
        first = frames[:, :1] * (1 - config.preemphasis)  # Kaldi takes the first sample as its own predecessor
        frames = torch.cat([first, frames[:, 1:] - config.preemphasis * frames[:, :-1]], dim=1) * self.window
        spectrum = torch.view_as_real(torch.fft.rfft(frames, n=self.fft_size))
        power = spectrum.square().sum(dim=-1)  # (L, N / 2 + 1)
        feats = (power @ self.filters).clamp(min=EPSILON).log() @ self.cosine
        if config.use_energy:
            energy = (raw if config.raw_energy else frames).square().sum(dim=1).clamp(min=EPSILON).log()
            feats[:, 0] = energy.clamp(min=math.log(config.energy_floor)) if config.energy_floor > 0 else energy
        return feats
