"""Two branches that make a target speaker extractor: a mixture that is masked, an enrollment that says whose speech."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.models.extractor_output import ExtractorOutput
from zspex_toolkit.nn.coder_start import start_as_cosines
from zspex_toolkit.nn.resnet_speaker_encoder import ResNetSpeakerEncoder
from zspex_toolkit.nn.speech_coder import SpeechDecoder, SpeechEncoder
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.tcn import SpeakerTcn


class ExtractionNetwork(nn.Module):
    """The frame that SpEx+ and Z-SpEx share; they differ in what they put in.

    Args:
        num_speakers: K training speakers.
        encoder, decoder: between waveforms and encodings; the encoder serves mixture and enrollment.
        fuser: (B, S, L, N) to (B, L, C), of the mixture, and of the enrollment if that has none of its own.
        enrollment_fuser: the enrollment's own; None to share.
        norm: of the mixture's fused frames; None for none.
        tcn: (B, L, C) and the embedding to (B, L, C).
        mask_generator: (B, L, C) to (B, S, L, N).
        speaker_encoder: the enrollment's (B, L, C) to the embedding (B, D).
        embedding_dim: D.
        start: how training begins. ``random``: as torch's layers do. ``mixture``: filters as windowed cosines,
            masks from one everywhere, so that the untrained network has a spectrum to learn from. In SpEx+ its output
            is then the mixture (what its filters resolve of it); in Z-SpEx the exchange of the scales adds to the
            masks, and the output is only near the mixture (2 dB against it, for noise).

    Raises:
        ConfigError: for a start that is none of these.

    Any mixture of at least one sample will do. Behind the last whole frame of the short scale its estimate is zero.
    """

    def __init__(
        self,
        num_speakers: int,
        *,
        encoder: SpeechEncoder,
        decoder: SpeechDecoder,
        fuser: nn.Module,
        enrollment_fuser: nn.Module | None,
        norm: nn.Module | None,
        tcn: SpeakerTcn,
        mask_generator: nn.Module,
        speaker_encoder: ResNetSpeakerEncoder,
        embedding_dim: int,
        start: str,
    ):
        if start not in ("random", "mixture"):
            raise ConfigError(f"start: expected one of random, mixture, got '{start}'")
        super().__init__()
        self.num_speakers = num_speakers
        self.embedding_dim = embedding_dim
        self.encoder = encoder
        self.decoder = decoder
        self.fuser = fuser
        self.enrollment_fuser = enrollment_fuser
        self.norm = norm
        self.tcn = tcn
        self.mask_generator = mask_generator
        self.speaker_encoder = speaker_encoder
        self.speaker_classifier = nn.Linear(embedding_dim, num_speakers)
        if start == "mixture":
            start_as_cosines(encoder, decoder)
            mask_generator.start_at_one()

    @property
    def min_enrollment_samples(self) -> int:
        """Shortest enrollment: 35 ms at 8 kHz in the published size."""
        return self.encoder.kernel_sizes[0] + (self.speaker_encoder.min_frames - 1) * self.encoder.stride

    @property
    def context_samples(self) -> int:
        """Samples before (and, unless causal, behind) an output sample that convolutions reach; norms reach all."""
        return self.tcn.context * self.encoder.stride + self.encoder.kernel_sizes[-1]

    @property
    def latency_samples(self) -> int | None:
        """Samples of the mixture behind an output sample that a causal network waits for, at most; else None."""
        return self.encoder.kernel_sizes[0] - 1 if self.encoder.causal else None

    def forward(self, mixture: Tensor, enrollment: Tensor, enrollment_length: Tensor | None = None) -> ExtractorOutput:
        """Extract at all scales, and classify the enrollment's speaker.

        Args:
            mixture: (B, T), T >= 1.
            enrollment: (B, U).
            enrollment_length: (B,) true samples of each enrollment, which alone matter; None if all U are.

        Raises:
            AudioError: for an enrollment under ``min_enrollment_samples``, or a length over U.
        """
        embedding = self.embed(enrollment, enrollment_length)
        encodings = self.encoder(mixture)
        estimates = self.decoder(encodings * self.masks(encodings, embedding), mixture.shape[1])
        return ExtractorOutput(estimates, self.speaker_classifier(embedding), embedding)

    def embed(self, enrollment: Tensor, enrollment_length: Tensor | None = None) -> Tensor:
        """Enrollment (B, U) to the embedding of its speaker (B, D).

        Raises:
            AudioError: for an enrollment under ``min_enrollment_samples``, or a length over U (lengths on a GPU are not
                looked at).
        """
        self._check_enrollment(enrollment, enrollment_length)
        num_frames = None
        if enrollment_length is not None:
            enrollment_length = enrollment_length.to(enrollment.device)
            samples = torch.arange(enrollment.shape[1], device=enrollment.device)
            enrollment = enrollment.masked_fill(samples >= enrollment_length[:, None], 0.0)
            num_frames = self.encoder.num_frames(enrollment_length)
        fuser = self.fuser if self.enrollment_fuser is None else self.enrollment_fuser
        return self.speaker_encoder(fuser(self.encoder(enrollment), num_frames), num_frames)

    def extract(self, mixture: Tensor, embedding: Tensor) -> Tensor:
        """The short scale alone, which is the system's output: mixture (B, T) and embedding (B, D) to (B, T)."""
        encodings = self.encoder(mixture)
        masks = self.masks(encodings, embedding, num_outputs=1)
        return self.decoder(encodings[:, :1] * masks, mixture.shape[1])[:, 0]

    def masks(
        self, encodings: Tensor, embedding: Tensor, memory: Memory | None = None, *, num_outputs: int | None = None
    ) -> Tensor:
        """Masks of the first ``num_outputs`` scales (None: of all) of the mixture's encodings (B, S, L, N)."""
        return self.mask_generator(self._listen(encodings, embedding, memory), memory, num_outputs=num_outputs)

    def _listen(self, encodings: Tensor, embedding: Tensor, memory: Memory | None = None) -> Tensor:
        """Frames (B, L, C) that the masks are made from."""
        frames = self.fuser(encodings, memory=memory)
        if self.norm is not None:
            frames = self.norm(frames, memory=memory)
        return self.tcn(frames, embedding, memory)

    def _check_enrollment(self, enrollment: Tensor, length: Tensor | None) -> None:
        shortest = enrollment.shape[1]
        if length is not None and length.device.type == "cpu":  # to look on a GPU would make the CPU wait for it
            if int(length.max()) > shortest:
                raise AudioError(
                    f"enrollment: expected lengths up to the {shortest} samples that it has, found {int(length.max())}"
                )
            shortest = min(shortest, int(length.min()))
        if shortest < self.min_enrollment_samples:
            raise AudioError(
                f"enrollment: expected at least {self.min_enrollment_samples} samples, found {shortest}; record more"
            )
