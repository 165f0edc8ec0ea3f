"""Mel-frequency cepstral coefficients, batched, on any device; equal to Kaldi's ``compute-mfcc-feats``."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zspex_toolkit.signal.framing import count_frames, mirror_edges
from zspex_toolkit.signal.mel import lifted_cosine_transform, mel_filters, window_function
from zspex_toolkit.signal.mfcc_config import KALDI, MfccConfig

INT16_SCALE = 32768.0  # Kaldi computes on samples in the range of 16-bit integers
EPSILON = torch.finfo(torch.float32).eps  # floor of energies before the logarithm
CHUNK_FRAMES = {"cpu": 512}  # frames computed at once: what stays in the cache of a core
CHUNK_FRAMES_ELSEWHERE = 65536
MEL_BLOCK = 16  # filters per matrix product; a block reads its own part of the spectrum only


class Mfcc(nn.Module):
    """Waveforms to MFCC frames; no gradient flows through.

    >>> feats, num_frames = Mfcc(MfccConfig(num_ceps=20, num_mel_bins=30))(torch.zeros(2, 16000))
    >>> feats.shape, num_frames
    (torch.Size([2, 98, 20]), tensor([98, 98]))
    """

    def __init__(self, config: MfccConfig = KALDI):
        super().__init__()
        self.config = config
        length = config.frame_length
        self.fft_size = 1 << (length - 1).bit_length() if config.round_to_power_of_two else length
        window = window_function(config.window, length, blackman_coeff=config.blackman_coeff)
        filters = mel_filters(
            config.num_mel_bins, fft_size=self.fft_size, fs=config.fs, low_hz=config.low_hz, high_hz=config.upper_hz
        )
        cosine = lifted_cosine_transform(config.num_mel_bins, config.num_ceps, lifter=config.cepstral_lifter)
        spare = -config.num_mel_bins % MEL_BLOCK  # empty filters that fill the last block, without weight in `cosine`
        # real and imaginary parts lie side by side in the spectrum: the same weight for both
        filters = nn.functional.pad(filters, (0, spare)).repeat_interleave(2, dim=0)
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("filters", filters.float(), persistent=False)  # (2 (N / 2 + 1), filters)
        self.register_buffer("cosine", nn.functional.pad(cosine, (0, 0, 0, spare)).float(), persistent=False)
        self.blocks = [_support(filters[:, i : i + MEL_BLOCK]) for i in range(0, filters.shape[1], MEL_BLOCK)]

    @torch.no_grad()
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
            num_samples = torch.full((len(waveforms),), waveforms.shape[1])
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
        feats = self._features(self._lay_out(waveforms, num_samples, longest))
        feats = feats.view(len(waveforms), -1, config.num_ceps)[:, :longest]
        valid = torch.arange(longest, device=feats.device) < num_frames[:, None]
        return feats if valid.all() else torch.where(valid[..., None], feats, 0), num_frames

    def _noise(self, waveforms: Tensor, generators: Sequence[torch.Generator] | None) -> Tensor:
        """One draw per sample, which overlapping frames share; Kaldi draws anew for every frame."""
        generators = generators or [None] * len(waveforms)
        rows = [
            torch.randn(row.shape, generator=generator, device=row.device)
            for row, generator in zip(waveforms, generators, strict=True)
        ]
        return torch.stack(rows) * (self.config.dither / INT16_SCALE)

    def _lay_out(self, waveforms: Tensor, num_samples: Tensor, longest: int) -> Tensor:
        """Rows one after the other in one signal, each beginning on a frame: (B, T) to (B L' frames, frame_length).

        L' >= L; the frames that reach over into the next row are the ones that the caller cuts off.
        """
        length, shift = self.config.frame_length, self.config.frame_shift
        before = 0 if self.config.snip_edges else length // 2 - shift // 2
        after = 0 if self.config.snip_edges else length - length // 2
        total = max(before + waveforms.shape[1] + after, (longest - 1) * shift + length)
        total += -total % shift
        signal = waveforms.new_zeros(len(waveforms) * total + length - shift, dtype=torch.float32)
        rows = signal[: len(waveforms) * total].view(len(waveforms), total)
        rows[:, before : before + waveforms.shape[1]] = waveforms
        if not self.config.snip_edges:
            mirror_edges(rows, num_samples.clamp(min=1), before=before, after=after)
        return signal.mul_(INT16_SCALE).unfold(0, length, shift)

    def _features(self, frames: Tensor) -> Tensor:
        """(L, frame_length) to (L, num_ceps), chunk by chunk, in the same few buffers."""
        chunk = CHUNK_FRAMES.get(frames.device.type, CHUNK_FRAMES_ELSEWHERE)
        chunk = min(chunk, len(frames))
        centred = frames.new_empty(chunk, frames.shape[1])
        padded = frames.new_zeros(chunk, self.fft_size)
        spectrum = frames.new_empty(chunk, len(self.filters))
        mel = frames.new_empty(chunk, self.filters.shape[1])
        out = frames.new_empty(len(frames), self.config.num_ceps)
        for part, feats in zip(frames.split(chunk), out.split(chunk), strict=True):
            n = len(part)
            energy = self._window(part, centred[:n], padded[:n])
            self._cepstra(padded[:n], spectrum[:n], mel[:n], feats)
            if self.config.use_energy:
                feats[:, 0] = energy
        return out

    def _window(self, frames: Tensor, centred: Tensor, padded: Tensor) -> Tensor:
        """Remove the mean, pre-emphasise, weigh into ``padded``; returns the log energy (L,)."""
        config = self.config
        windowed = padded[:, : frames.shape[1]]
        mean = frames.mean(dim=1, keepdim=True) if config.remove_dc else 0
        torch.sub(frames, mean, out=centred)
        torch.sub(centred[:, 1:], centred[:, :-1], alpha=config.preemphasis, out=windowed[:, 1:])
        windowed[:, 0] = centred[:, 0] * (1 - config.preemphasis)  # Kaldi: the first sample precedes itself
        windowed.mul_(self.window)
        measured = centred if config.raw_energy else windowed
        energy = torch.linalg.vecdot(measured, measured).clamp(min=EPSILON).log()
        return energy.clamp(min=math.log(config.energy_floor)) if config.energy_floor > 0 else energy

    def _cepstra(self, padded: Tensor, spectrum: Tensor, mel: Tensor, feats: Tensor) -> None:
        """Fourier transform, mel filters, logarithm, cosine transform into ``feats``; the rest is scratch."""
        torch.fft.rfft(padded, out=torch.view_as_complex(spectrum.view(len(spectrum), -1, 2)))
        spectrum.square_()
        for index, (start, end) in enumerate(self.blocks):
            block = slice(index * MEL_BLOCK, (index + 1) * MEL_BLOCK)
            torch.mm(spectrum[:, start:end], self.filters[start:end, block], out=mel[:, block])
        torch.mm(mel.clamp_(min=EPSILON).log_(), self.cosine, out=feats)


def _support(filters: Tensor) -> tuple[int, int]:
    """First row with a weight and the one after the last."""
    rows = filters.any(dim=1).nonzero()[:, 0]
    return int(rows[0]), int(rows[-1]) + 1
