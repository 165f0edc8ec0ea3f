"""Mel-frequency cepstral coefficients, batched, on any device; equal to Kaldi's ``compute-mfcc-feats``."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zspex_toolkit.signal.front_end_config import MfccConfig
from zspex_toolkit.signal.mel import lifted_cosine_transform, mel_filters, window_function

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

    def __init__(self, config: MfccConfig = MfccConfig()):  # noqa: B008 - it is frozen
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
    def forward(self, waveforms: Tensor, num_samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features of a batch; rows do not influence each other, nor does what lies beyond ``num_samples``.

        Args:
            waveforms: (B, T) in [-1, 1].
            num_samples: (B,) valid samples; all T if None.

        Returns:
            (B, L, F) features, zero beyond the frames of a row, and (B,) number of frames.
        """
        if num_samples is None:
            num_samples = torch.full((len(waveforms),), waveforms.shape[1])
        lengths = num_samples.tolist()
        if lengths and max(lengths) > waveforms.shape[1]:
            raise ValueError(f"num_samples: expected at most the {waveforms.shape[1]} of the batch, got {max(lengths)}")
        rows = self.packed([row[:n] for row, n in zip(waveforms, lengths, strict=True)])
        num_frames = torch.tensor([len(row) for row in rows], device=waveforms.device)
        if not rows:
            return waveforms.new_zeros(0, 0, self.config.num_ceps), num_frames
        return nn.utils.rnn.pad_sequence(rows, batch_first=True), num_frames

    @torch.no_grad()
    def packed(
        self, utterances: Sequence[Tensor], *, generators: Sequence[torch.Generator] | None = None
    ) -> list[Tensor]:
        """Features of utterances of any lengths, computed together without padding.

        Args:
            utterances: (T,) each, in [-1, 1], on one device.
            generators: one per utterance for the dither; torch's global one if None.

        Returns:
            (L, F) each; L may be 0.
        """
        config = self.config
        if config.dither:
            utterances = self._dithered(utterances, generators)
        counts = [config.num_frames(len(utterance)) for utterance in utterances]
        if not any(counts):
            return [self.window.new_zeros(0, config.num_ceps) for _ in utterances]
        frames, first = self._lay_out(utterances, counts)
        feats = self._features(frames)
        return [feats[start : start + count] for start, count in zip(first, counts, strict=True)]

    def _dithered(self, utterances: Sequence[Tensor], generators: Sequence[torch.Generator] | None) -> list[Tensor]:
        """One draw per sample, which overlapping frames share; Kaldi draws anew for every frame."""
        amount = self.config.dither / INT16_SCALE
        return [
            utterance + amount * torch.randn(utterance.shape, generator=generator, device=utterance.device)
            for utterance, generator in zip(utterances, generators or [None] * len(utterances), strict=True)
        ]

    def _lay_out(self, utterances: Sequence[Tensor], counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Utterances one after the other in one signal, each beginning on a frame.

        Returns:
            A view (L', frame_length) of all frames and the first of each utterance; between the utterances lie
            a few frames that reach over from one into the next.
        """
        length, shift = self.config.frame_length, self.config.frame_shift
        before = 0 if self.config.snip_edges else length // 2 - shift // 2
        after = 0 if self.config.snip_edges else length - length // 2
        first, position = [], 0
        for utterance, count in zip(utterances, counts, strict=True):
            first.append(position // shift)
            taken = max(before + len(utterance) + after, (count - 1) * shift + length)
            position += taken + -taken % shift
        signal = self.window.new_zeros(position + length - shift)
        starts = [frame * shift + before for frame in first]
        for utterance, start in zip(utterances, starts, strict=True):
            torch.mul(utterance, INT16_SCALE, out=signal[start : start + len(utterance)])
        if not self.config.snip_edges:
            filled = [
                (start, len(utterance)) for start, utterance in zip(starts, utterances, strict=True) if len(utterance)
            ]
            where = torch.tensor(filled, device=signal.device)  # (B, 2)
            mirror_edges(signal, where[:, 0], where[:, 1], before=before, after=after)
        return signal.unfold(0, length, shift), first

    def _features(self, frames: Tensor) -> Tensor:
        """(L, frame_length) to (L, num_ceps), chunk by chunk, in the same few buffers."""
        chunk = CHUNK_FRAMES.get(frames.device.type, CHUNK_FRAMES_ELSEWHERE)
        chunk = min(chunk, len(frames))
        padded = frames.new_zeros(chunk, self.fft_size)
        spectrum = frames.new_empty(chunk, len(self.filters))
        mel = frames.new_empty(chunk, self.filters.shape[1])
        out = frames.new_empty(len(frames), self.config.num_ceps)
        for part, feats in zip(frames.split(chunk), out.split(chunk), strict=True):
            n = len(part)
            # centred frames need their place only until the spectrum takes it: less to keep in the cache
            energy = self._window(part, spectrum[:n, : frames.shape[1]], padded[:n])
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


def mirror_edges(signal: Tensor, starts: Tensor, num_samples: Tensor, *, before: int, after: int) -> None:
    """Fill the samples before and after every utterance with its mirror image, edge samples repeated.

    Args:
        signal: (T,), changed in place.
        starts: (B,) first sample of each utterance, at least ``before``.
        num_samples: (B,) their lengths, at least 1.
        before, after: number of samples to fill.

    >>> signal = torch.tensor([0., 0., 1., 2., 3., 0., 0., 9.])
    >>> mirror_edges(signal, torch.tensor([2]), torch.tensor([3]), before=2, after=2)
    >>> signal
    tensor([2., 1., 1., 2., 3., 3., 2., 9.])
    """
    length = num_samples[:, None]
    left = torch.arange(-before, 0, device=signal.device).expand(len(length), -1)
    right = length + torch.arange(after, device=signal.device)
    position = torch.cat([left, right], dim=1)  # (B, before + after), from the start of the utterance
    period = position % (2 * length)  # the mirrored utterance repeats after twice its length
    source = torch.where(period < length, period, 2 * length - 1 - period)
    signal[position + starts[:, None]] = signal[source + starts[:, None]]


def _support(filters: Tensor) -> tuple[int, int]:
    """First row with a weight and the one after the last."""
    rows = filters.any(dim=1).nonzero()[:, 0]
    return int(rows[0]), int(rows[-1]) + 1
