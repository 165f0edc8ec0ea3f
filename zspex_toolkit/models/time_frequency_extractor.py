"""An extractor over short-time spectra: blocks that know no speaker, then the enrollment's speaker, then the others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.clue import Clue, clues_per_mixture, joined_frames, mean_embedding
from zspex_toolkit.models.extractor_contract import ExtractorOutput, true_enrollment
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.time_frequency.speaker import BandPooling, FrameAttention, SpeakerScaling
from zspex_toolkit.nn.time_frequency.spectrum import Spectrum, features

CONDITIONINGS = ("pooled", "frames", "both")


class TimeFrequencyExtractor(nn.Module):
    """What the extractors over short-time spectra share; they differ in the blocks, in the way in and in the way out.

    The mixture goes through the first ``num_shared`` blocks whoever is asked for; then the speaker comes in, and the
    other blocks make the target. The enrollment goes through the first ``enrollment_blocks`` of the same blocks; what
    comes out tells the speaker, as one vector that scales and shifts channels, or frame by frame, or both.

    A network of this kind fills, in an order of its own, ``spectrum``, ``blocks`` (each is called as
    :class:`zspex_toolkit.nn.time_frequency.block.BandSplitBlock` is) and, by :meth:`add_speaker`, the parts that hear
    the enrollment; it has ``encode`` and ``decode``, and ``decode_blind`` if it has blind outputs. The contract is
    :class:`zspex_toolkit.models.extractor_contract.ExtractorNetwork`.

    Args:
        num_speakers: K training speakers.
        num_blocks: blocks in all.
        num_shared: blocks before the speaker comes in; computed once a mixture.
        enrollment_blocks: blocks that the enrollment goes through, ``num_shared`` at most.

    Raises:
        ConfigError: for a value out of its range.
    """

    clue_dim = 0
    num_estimates = 1
    latency_samples: int | None = None
    context_frames = 125  # two seconds where frames are 16 ms apart
    spectrum: Spectrum
    blocks: nn.ModuleList

    def __init__(self, num_speakers: int, *, num_blocks: int, num_shared: int, enrollment_blocks: int):
        if not 0 <= num_shared < num_blocks:
            raise ConfigError(f"num_shared: expected 0 to {num_blocks - 1} of {num_blocks} blocks, got {num_shared}")
        if not 0 <= enrollment_blocks <= num_shared:
            raise ConfigError(f"enrollment_blocks: expected 0 to {num_shared} shared blocks, got {enrollment_blocks}")
        super().__init__()
        self.num_speakers = num_speakers
        self.num_shared, self.enrollment_blocks = num_shared, enrollment_blocks

    def add_speaker(
        self,
        conditioning: str,
        num_bands: int,
        channels: int,
        *,
        embedding_dim: int,
        key_dim: int,
        value_dim: int,
        num_heads: int,
    ) -> None:
        """The parts that hear the enrollment, for as many of the later blocks as there are.

        Arguments are those of :mod:`zspex_toolkit.nn.time_frequency.speaker`.

        Raises:
            ConfigError: for a conditioning that is none of ``pooled``, ``frames`` and ``both``.
        """
        if conditioning not in CONDITIONINGS:
            raise ConfigError(f"conditioning: expected one of {', '.join(CONDITIONINGS)}, got '{conditioning}'")
        self.pooling = BandPooling(num_bands, channels, embedding_dim)
        self.speaker_classifier = nn.Linear(embedding_dim, self.num_speakers)
        self.scalings = None
        if conditioning != "frames":
            count = len(self.blocks) - self.num_shared
            self.scalings = nn.ModuleList(SpeakerScaling(embedding_dim, num_bands, channels) for _ in range(count))
        self.attention = None
        if conditioning != "pooled":
            self.attention = FrameAttention(num_bands, channels, key_dim, value_dim, num_heads)

    def encode(self, shown: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Features (L, B, F, 3), of which the first ``num_frames`` (B,) frames count, to (L, B, K, N)."""
        raise NotImplementedError

    def decode(self, frames: Tensor, spectra: Tensor, level: Tensor) -> Tensor:
        """Frames (L, R, K, N) and the mixtures' spectra (L, M, F) and level to the targets' spectra (L, R, F)."""
        raise NotImplementedError

    def decode_blind(self, frames: Tensor, spectra: Tensor, level: Tensor) -> Tensor | None:
        """Shared frames (L, M, K, N), and as in ``decode``, to spectra (Q, L, M, F) of speakers nobody asked for."""
        return None

    @property
    def min_enrollment_samples(self) -> int:
        """Shortest enrollment: a window."""
        return self.spectrum.window

    @property
    def context_samples(self) -> int:
        """Samples around an output sample within which most of what it depends on lies: about two seconds.

        A recurrence remembers without end; chunks of a long recording that overlap by less are heard to differ.
        """
        return self.context_frames * self.spectrum.hop

    def clue(self, enrollment: Tensor, lengths: Tensor | None = None) -> Clue:
        """Enrollment (R, U) to the embedding of its speaker (R, D), and what its frames tell.

        Args:
            enrollment: (R, U).
            lengths: (R,) true samples of each enrollment, which alone matter; None if all U are.

        Raises:
            AudioError: for an enrollment under ``min_enrollment_samples``, or a length over U (lengths on a GPU are not
                looked at).
        """
        enrollment, lengths = true_enrollment(enrollment.float(), lengths, self.min_enrollment_samples)
        num_frames = None if lengths is None else self.spectrum.num_frames(lengths)
        level = (enrollment.square().sum(1) / (enrollment.shape[1] if lengths is None else lengths)).sqrt()
        frames = self.encode(features(self.spectrum(enrollment), level), num_frames)
        for block in self.blocks[: self.enrollment_blocks]:
            frames = block(frames, num_frames=num_frames)
        embedding = self.pooling(frames, num_frames)
        if self.attention is None:
            return Clue(embedding)
        return Clue(embedding, self.attention.remember(frames), num_frames)

    def join(self, clues: Sequence[Clue], weights: Sequence[float] | None = None) -> Clue:
        """The mean of the embeddings; the frames of all, one recording behind the other."""
        embedding = mean_embedding(clues, weights).embedding
        if self.attention is None:
            return Clue(embedding)
        frames = joined_frames(clues)
        return Clue(embedding, frames.frames, frames.num_frames)

    def classify(self, clue: Clue) -> Tensor:
        """Scores (R, K) of the training speakers."""
        return self.speaker_classifier(clue.embedding)

    def likeness(self, estimate: Tensor, clue: Clue) -> Tensor:
        """Cosines (R,) of the embeddings of speech (R, T) and those of the clues; NaN where it is under a window."""
        if estimate.shape[1] < self.min_enrollment_samples:
            return estimate.new_full((len(estimate),), torch.nan)
        return nn.functional.cosine_similarity(self.clue(estimate).embedding, clue.embedding)

    def forward(self, mixture: Tensor, clue: Clue) -> ExtractorOutput:
        """Mixtures (M, T) and R clues to the waveforms (R, 1, T), the scores, and the blind outputs (M, Q, T)."""
        num_samples = mixture.shape[1]
        spectra = self.spectrum(mixture)
        level = self.level(mixture, len(spectra))
        shared = self.shared_frames(spectra, level)
        target = self.decode(self.target_frames(shared, clue), spectra, level)
        blind = self.decode_blind(shared, spectra, level)
        if blind is not None:
            blind = torch.stack([self.spectrum.inverse(one, num_samples) for one in blind], 1)
        return ExtractorOutput(self.spectrum.inverse(target, num_samples)[:, None], self.classify(clue), blind)

    def extract(self, mixture: Tensor, clue: Clue) -> Tensor:
        """Mixtures (M, T) and R clues to (R, T)."""
        spectra = self.spectrum(mixture)
        level = self.level(mixture, len(spectra))
        target = self.decode(self.target_frames(self.shared_frames(spectra, level), clue), spectra, level)
        return self.spectrum.inverse(target, mixture.shape[1])

    def level(self, mixture: Tensor, num_frames: int) -> Tensor:
        """Root mean square of all of a mixture, (M,)."""
        return mixture.float().square().mean(1).sqrt()

    def shared_frames(self, spectra: Tensor, level: Tensor, memory: Memory | None = None) -> Tensor:
        """What the blocks that know no speaker make of spectra (L, M, F) at a level (M,) or (L, M): (L, M, K, N)."""
        frames = self.encode(features(spectra, level))
        for block in self.blocks[: self.num_shared]:
            frames = block(frames, memory)
        return frames

    def target_frames(self, frames: Tensor, clue: Clue, memory: Memory | None = None) -> Tensor:
        """Shared frames (L, M, K, N) and R clues to what the other blocks make of them, (L, R, K, N)."""
        count = clues_per_mixture(clue, frames[0])
        frames = frames.repeat(1, count, 1, 1)
        if self.attention is not None:
            places = torch.arange(clue.frames.shape[2], device=frames.device)
            frames = self.attention(frames, clue.frames, places < clue.num_frames[:, None])
        for index, block in enumerate(self.blocks[self.num_shared :]):
            if self.scalings is not None:
                frames = self.scalings[index](frames, clue.embedding)
            frames = block(frames, memory)
        return frames
