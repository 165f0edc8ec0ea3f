"""A TF-GridNet extractor: recurrences along the bins and along time in turn, and attention among frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.time_frequency_extractor import TimeFrequencyExtractor
from zspex_toolkit.nn.time_frequency.grid_block import GridBlock
from zspex_toolkit.nn.time_frequency.grid_coder import GridDecoder, GridEncoder
from zspex_toolkit.nn.time_frequency.spectrum import Spectrum, true_frames

__all__ = ["TfGridNetExtractor"]

OUTPUTS = ("mapping", "mask")

_SMALL = {"hop_ms": 16.0, "bin_stride": 16, "channels": 8, "hidden": 6, "key_channels": 1, "num_heads": 2} | {
    "num_blocks": 3, "num_shared": 1, "enrollment_blocks": 1, "num_regions": 4} | {
    "embedding_dim": 10, "key_dim": 8, "value_dim": 8
}  # fmt: skip
# Settings of the contract test: small, in every kind of the network that there is.
SMALL = {
    "mapping": _SMALL,
    "mask": _SMALL | {"output": "mask", "recurrence": "sru", "stride": 2, "num_blind": 2},
    "frames": _SMALL | {"conditioning": "frames", "recurrence": "gru", "num_regions": 17, "num_blind": 2},
    "pooled": _SMALL | {"conditioning": "pooled", "num_shared": 0, "enrollment_blocks": 0},
}


class TfGridNetExtractor(TimeFrequencyExtractor):
    """TF-GridNet, told by an enrollment whom to extract.

    The defaults are the published block at 16 kHz, for a GPU; ``egs/speechocean762/tse1/conf/tf_gridnet.yaml`` has a
    small network for a CPU. There is no causal form. See :class:`TimeFrequencyExtractor` for what is shared.

    Args:
        num_speakers: K training speakers.
        fs: rate in Hz.
        window_ms, hop_ms: of the short-time spectrum.
        bin_stride: bins from one band to the next, 1 as published: a band for each bin.
        channels: D in the paper, of a band.
        num_blocks: B in the paper, blocks in all.
        num_shared: blocks before the speaker comes in; computed once a mixture.
        hidden: H in the paper, states of a recurrence in each direction.
        kernel: I in the paper, neighbours that a step of a recurrence sees; a multiple of ``stride``.
        stride: J in the paper, neighbours from step to step.
        recurrence: ``lstm`` as published, ``gru``, or ``sru``, quick on a CPU.
        key_channels: E in the paper, channels of a band in the queries and keys among frames.
        num_heads: L in the paper, heads of the attention among frames; and of that to the enrollment.
        output: ``mapping``, the target's spectrum itself, as published; or ``mask``, complex factors of the mixture's,
            which start as one.
        conditioning: ``pooled`` (one vector), ``frames`` (attention to the enrollment's frames) or ``both``.
        enrollment_blocks: blocks that the enrollment goes through, ``num_shared`` at most.
        num_regions: means of so many regions of neighbouring bands are what the enrollment's side sees and changes;
            at most the number of bands is used.
        embedding_dim: size of the speaker's vector.
        key_dim, value_dim: of the attention to the enrollment, all heads together.
        num_blind: outputs of the shared blocks, a speaker each, which nobody is asked for: in training they teach the
            shared blocks to separate; 0 for none.

    Raises:
        ConfigError: for a value out of its range.

    Sources: Wang et al., "TF-GridNet: integrating full- and sub-band modeling for speech separation", IEEE/ACM TASLP
    2023; Zeng and Li, "USEF-TSE", 2024 (frames of the enrollment in a TF-GridNet). Ours: compressed spectra and the log
    power at the input in the place of its norm over the whole signal, the stride over bins, masks, and how the speaker
    comes in.
    """

    def __init__(
        self,
        num_speakers: int,
        *,
        fs: int = 16000,
        window_ms: float = 32.0,
        hop_ms: float = 8.0,
        bin_stride: int = 1,
        channels: int = 64,
        num_blocks: int = 6,
        num_shared: int = 2,
        hidden: int = 256,
        kernel: int = 4,
        stride: int = 1,
        recurrence: str = "lstm",
        key_channels: int = 4,
        num_heads: int = 4,
        output: str = "mapping",
        conditioning: str = "both",
        enrollment_blocks: int = 1,
        num_regions: int = 32,
        embedding_dim: int = 192,
        key_dim: int = 128,
        value_dim: int = 256,
        num_blind: int = 0,
    ):
        if output not in OUTPUTS:
            raise ConfigError(f"output: expected one of {', '.join(OUTPUTS)}, got '{output}'")
        super().__init__(
            num_speakers, num_blocks=num_blocks, num_shared=num_shared, enrollment_blocks=enrollment_blocks
        )
        self.context_frames = round(2000 / hop_ms)
        self.spectrum = Spectrum.at_rate(fs, window_ms, hop_ms)
        self.encoder = GridEncoder(self.spectrum.num_bins, 3, channels, bin_stride)
        num_bands = self.encoder.num_bands
        self.blocks = nn.ModuleList(
            GridBlock(
                num_bands,
                channels,
                hidden,
                kernel=kernel,
                stride=stride,
                recurrence=recurrence,
                key_channels=key_channels,
                num_heads=num_heads,
            )
            for _ in range(num_blocks)
        )
        self.add_speaker(
            conditioning,
            min(num_regions, num_bands),
            channels,
            embedding_dim=embedding_dim,
            key_dim=key_dim,
            value_dim=value_dim,
            num_heads=num_heads,
        )
        self.masks_mixture = output == "mask"
        sizes = (self.spectrum.num_bins, channels, bin_stride)
        self.decoder = GridDecoder(*sizes, 1, as_masks=self.masks_mixture)
        self.blind_decoder = GridDecoder(*sizes, num_blind, as_masks=self.masks_mixture) if num_blind else None

    def encode(self, shown: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Features (L, B, F, 3), of which the first ``num_frames`` (B,) frames count, to (L, B, K, N)."""
        if num_frames is not None:  # a convolution looks over the end
            shown = shown * true_frames(shown, num_frames)
        return self.encoder(shown)

    def decode(self, frames: Tensor, spectra: Tensor, level: Tensor) -> Tensor:
        """Frames (L, R, K, N) and the mixtures' spectra (L, M, F) and level (M,) to the targets' spectra (L, R, F)."""
        return self._spectra(self.decoder(frames)[0], spectra, level)

    def decode_blind(self, frames: Tensor, spectra: Tensor, level: Tensor) -> Tensor | None:
        """Shared frames (L, M, K, N), spectra (L, M, F) and level (M,) to spectra (Q, L, M, F), or None."""
        if self.blind_decoder is None:
            return None
        return torch.stack([self._spectra(one, spectra, level) for one in self.blind_decoder(frames)])

    def _spectra(self, decoded: Tensor, spectra: Tensor, level: Tensor) -> Tensor:
        """What a decoder gives, (L, R, F), to spectra at the level of the mixture."""
        count = decoded.shape[1] // spectra.shape[1]
        if self.masks_mixture:
            return spectra.repeat(1, count, 1) * decoded
        size = (self.spectrum.window / 2) ** 0.5  # of a bin of noise of unit level
        return decoded * (size * level).repeat(count)[:, None]
