"""A band-split extractor: complex masks of a short-time spectrum, by a network that goes along time and over bands."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import UserError
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.time_frequency_extractor import TimeFrequencyExtractor
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.time_frequency.bands import BandMask, BandSplit, band_edges
from zspex_toolkit.nn.time_frequency.block import BandSplitBlock
from zspex_toolkit.nn.time_frequency.spectrum import Spectrum

__all__ = ["BandSplitExtractor"]

_SMALL = {"num_bands": 6, "channels": 8, "hidden": 6, "mixing": 12, "num_blocks": 3, "num_shared": 1} | {
    "enrollment_blocks": 1, "embedding_dim": 10, "key_dim": 8, "value_dim": 8, "num_heads": 2, "mask_hidden": 8
}  # fmt: skip
# Settings of the contract test: small, in every kind of the network that there is.
SMALL = {
    "both": _SMALL,
    "pooled": _SMALL | {"conditioning": "pooled", "num_shared": 0, "enrollment_blocks": 0, "num_blind": 0},
    "frames": _SMALL | {"conditioning": "frames", "recurrence": "gru"},
    "causal": _SMALL | {"causal": True},
}


class BandSplitExtractor(TimeFrequencyExtractor):
    """An extractor that is quick on a CPU, at any rate.

    Its last blocks make masks, which start as one; see :class:`TimeFrequencyExtractor` for the rest.

    Args:
        num_speakers: K training speakers.
        fs: rate in Hz; bands are of equal width on the mel scale at any rate.
        window_ms, hop_ms: of the short-time spectrum.
        num_bands: bands of the spectrum.
        channels: of a band.
        num_blocks: blocks in all.
        num_shared: blocks before the speaker comes in; computed once a mixture.
        hidden: states of a band's recurrence in each direction.
        mixing: units of the layer that sees all bands of a frame.
        recurrence: ``sru``, quick on a CPU; ``gru`` or ``lstm``, quick on a GPU.
        conditioning: ``pooled`` (one vector), ``frames`` (attention to the enrollment's frames) or ``both``.
        enrollment_blocks: blocks that the enrollment goes through, ``num_shared`` at most.
        embedding_dim: size of the speaker's vector.
        key_dim, value_dim, num_heads: of the attention, all heads together.
        mask_hidden: units of each band's mask.
        num_blind: outputs of the shared blocks, a speaker each, which nobody is asked for: in training they teach the
            shared blocks to separate; 0 for none.
        causal: nothing is known of the future but the rest of a window; see :meth:`stream`.

    Raises:
        ConfigError: for a value out of its range.

    Sources: Luo and Yu, "Music source separation with band-split RNN", IEEE/ACM TASLP 2023 (bands); Wang et al.,
    "TF-GridNet", IEEE/ACM TASLP 2023 (recurrences along time and frequency in turn); Lei et al., EMNLP 2018 (SRU);
    Zeng and Li, "USEF-TSE", 2024 (frames of the enrollment). How they are put together here is ours.
    """

    def __init__(
        self,
        num_speakers: int,
        *,
        fs: int = 16000,
        window_ms: float = 32.0,
        hop_ms: float = 16.0,
        num_bands: int = 20,
        channels: int = 64,
        num_blocks: int = 6,
        num_shared: int = 3,
        hidden: int = 64,
        mixing: int = 192,
        recurrence: str = "sru",
        conditioning: str = "both",
        enrollment_blocks: int = 2,
        embedding_dim: int = 192,
        key_dim: int = 128,
        value_dim: int = 256,
        num_heads: int = 4,
        mask_hidden: int = 128,
        num_blind: int = 2,
        causal: bool = False,
    ):
        super().__init__(
            num_speakers, num_blocks=num_blocks, num_shared=num_shared, enrollment_blocks=enrollment_blocks
        )
        self.causal = causal
        self.context_frames = round(2000 / hop_ms)
        self.spectrum = Spectrum.at_rate(fs, window_ms, hop_ms)
        edges = band_edges(num_bands, self.spectrum.num_bins, fs)
        self.split = BandSplit(edges, 3, channels)
        self.blocks = nn.ModuleList(
            BandSplitBlock(num_bands, channels, hidden, mixing, recurrence=recurrence, causal=causal)
            for _ in range(num_blocks)
        )
        self.add_speaker(
            conditioning,
            num_bands,
            channels,
            embedding_dim=embedding_dim,
            key_dim=key_dim,
            value_dim=value_dim,
            num_heads=num_heads,
        )
        self.mask = BandMask(edges, channels, mask_hidden)
        self.blind_mask = BandMask(edges, channels, mask_hidden, num_blind) if num_blind else None

    @property
    def latency_samples(self) -> int | None:
        """Samples of the mixture behind an output sample that a causal network waits for, at most; else None."""
        return self.spectrum.window - 1 if self.causal else None

    def encode(self, shown: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Features (L, B, F, 3) to bands (L, B, K, N)."""
        return self.split(shown)

    def decode(self, frames: Tensor, spectra: Tensor, level: Tensor) -> Tensor:
        """Frames (L, R, K, N) to masks, and those by the mixtures' spectra (L, M, F) to the targets' (L, R, F)."""
        return _masked(spectra, self.mask(frames)[..., 0])

    def decode_blind(self, frames: Tensor, spectra: Tensor, level: Tensor) -> Tensor | None:
        """Shared frames (L, M, K, N) and the mixtures' spectra (L, M, F) to spectra (Q, L, M, F), or None."""
        if self.blind_mask is None:
            return None
        return torch.stack([_masked(spectra, masks) for masks in self.blind_mask(frames).unbind(3)])

    def level(self, mixture: Tensor, num_frames: int) -> Tensor:
        """Root mean square of all of a mixture, (M,); if causal, of all up to the end of each frame, (L, M)."""
        if not self.causal:
            return super().level(mixture, num_frames)
        power, hop = mixture.float().square(), self.spectrum.hop
        power = nn.functional.pad(power, (0, num_frames * hop - power.shape[1])).unflatten(1, (num_frames, hop))
        return (power.sum(2).cumsum(1) / (hop * torch.arange(1, num_frames + 1, device=mixture.device))).sqrt().t()

    def masks(self, frames: Tensor, clue: Clue, memory: Memory | None = None) -> Tensor:
        """Masks (L, R, F) of shared frames (L, M, K, N) for R clues."""
        return self.mask(self.target_frames(frames, clue, memory))[..., 0]

    def stream(self, clue: Clue) -> BandSplitStream:
        """Extraction from mixtures that are still being recorded.

        Raises:
            UserError: if the network is not causal.
        """
        return BandSplitStream(self, clue)


def _masked(spectra: Tensor, masks: Tensor) -> Tensor:
    """Spectra (L, M, F) by masks (L, R, F): (L, R, F)."""
    return spectra.repeat(1, masks.shape[1] // spectra.shape[1], 1) * masks


class BandSplitStream:
    """Chunks of mixtures in, chunks of the targets out: together what ``network.extract`` gives for all at once.

    A sample comes out as soon as ``network.latency_samples`` more samples of the mixture are in, or earlier; what is
    kept in between does not grow with the signal.

    Args:
        network: a causal one, in evaluation mode.
        clue: R rows, of the speakers to extract; row r asks of mixture r % M.

    Raises:
        UserError: if the network is not causal.
    """

    def __init__(self, network: BandSplitExtractor, clue: Clue):
        if not network.causal:
            raise UserError("streaming: expected a causal network, got one that needs all; train with causal: true")
        self._network, self._clue = network, clue
        self._past = network.spectrum.window - network.spectrum.hop
        self._memory: Memory = {}
        self._pending: Tensor | None = None  # samples of the next frame, with those that it shares with the last
        self._tail: Tensor | None = None  # what frames so far add to samples that are not yet complete
        self._energy: Tensor | float = 0.0  # of all samples in frames so far
        self._num_frames = self._num_in = self._num_out = 0

    @torch.no_grad()
    def push(self, chunk: Tensor) -> Tensor:
        """The next samples of the mixtures (M, T'), T' >= 0, to what is complete of the targets, (R, T'')."""
        self._num_in += chunk.shape[1]
        return self._extract(chunk.float())

    @torch.no_grad()
    def finish(self) -> Tensor:
        """All samples still missing, so that as many come out as went in; call it once, at the end."""
        if self._num_out == self._num_in:
            return self._nothing()
        needed = self._network.spectrum.num_frames(self._num_in) * self._network.spectrum.hop
        rows = len(self._pending)
        return self._extract(self._pending.new_zeros(rows, needed - self._num_in))

    def _extract(self, chunk: Tensor) -> Tensor:
        spectrum = self._network.spectrum
        if self._pending is None:
            self._pending = chunk.new_zeros(len(chunk), self._past)
        self._pending = torch.cat([self._pending, chunk], 1)
        count = (self._pending.shape[1] - self._past) // spectrum.hop
        if not count:
            return self._nothing()
        used = count * spectrum.hop
        spectra = spectrum.analyse(self._pending[:, : used + self._past])
        frames = self._network.shared_frames(spectra, self._level(count), self._memory)
        masks = self._network.masks(frames, self._clue, self._memory)
        self._pending = self._pending[:, used:]
        summed = spectrum.overlap_add(_masked(spectra, masks))
        if self._tail is not None:
            summed[:, : self._past] += self._tail
        self._tail = summed[:, used:]
        return self._cut(summed[:, :used])

    def _level(self, count: int) -> Tensor:
        """Of the next frames, (L, M): as of the whole signal up to the end of each."""
        hop = self._network.spectrum.hop
        new = self._pending[:, self._past : self._past + count * hop].square().unflatten(1, (count, hop)).sum(2)
        energy = new.cumsum(1) + (self._energy if self._num_frames == 0 else self._energy[:, None])
        self._energy, first = energy[:, -1], self._num_frames
        self._num_frames += count
        return (energy / (hop * torch.arange(first + 1, self._num_frames + 1, device=energy.device))).sqrt().t()

    def _cut(self, samples: Tensor) -> Tensor:
        """Without what lies before the first sample and behind the last."""
        begin = max(0, self._past - (self._num_frames * self._network.spectrum.hop - samples.shape[1]))
        samples = samples[:, begin : begin + self._num_in - self._num_out]
        self._num_out += samples.shape[1]
        return samples

    def _nothing(self) -> Tensor:
        return self._clue.embedding.new_zeros(len(self._clue), 0)
