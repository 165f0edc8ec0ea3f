"""Two branches that make a target speaker extractor: a mixture that is masked, an enrollment that says whose speech."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.models.clue import Clue, clues_per_mixture, mean_embedding
from zspex_toolkit.models.extractor_contract import ExtractorOutput, true_enrollment
from zspex_toolkit.nn.given_embedding import GivenEmbedding
from zspex_toolkit.nn.multi_scale.coder_start import start_as_cosines
from zspex_toolkit.nn.multi_scale.coder_stream import DecoderStream, EncoderStream
from zspex_toolkit.nn.multi_scale.resnet_speaker_encoder import ResNetSpeakerEncoder
from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.tcn import SpeakerTcn


class ExtractionNetwork(nn.Module):
    """The frame that SpEx+ and Z-SpEx share; they differ in what they put in. A clue is an embedding.

    Args:
        num_speakers: K training speakers.
        encoder, decoder: between waveforms and encodings; the encoder serves mixture and enrollment.
        fuser: (B, S, L, N) to (B, L, C), of the mixture, and of the enrollment if that has none of its own.
        enrollment_fuser: the enrollment's own; None to share.
        norm: of the mixture's fused frames; None for none.
        tcn: (B, L, C) and the embedding to (B, L, C).
        mask_generator: (B, L, C) to (B, S, L, N).
        speaker_encoder: the enrollment's (B, L, C) to the embedding (B, D); or, for embeddings from elsewhere, those to
            what the TCN takes. There are no speaker scores then.
        embedding_dim: D of the TCN.
        start: how training begins. ``random``: as torch's layers do. ``mixture``: filters as windowed cosines,
            masks from one everywhere, so that the untrained network has a spectrum to learn from. In SpEx+ its output
            is then the mixture (what its filters resolve of it); in Z-SpEx the exchange of the scales adds to the
            masks, and the output is only near the mixture (2 dB against it, for noise).

    Raises:
        ConfigError: for a start that is none of these.

    Any mixture of at least one sample will do. Behind the last whole frame of the short scale its estimate is zero.
    The contract is :class:`zspex_toolkit.models.extractor_contract.ExtractorNetwork`.
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
        speaker_encoder: ResNetSpeakerEncoder | GivenEmbedding,
        embedding_dim: int,
        start: str,
    ):
        if start not in ("random", "mixture"):
            raise ConfigError(f"start: expected one of random, mixture, got '{start}'")
        super().__init__()
        given = isinstance(speaker_encoder, GivenEmbedding)
        self.num_speakers = None if given else num_speakers
        self.num_estimates = len(encoder.kernel_sizes)
        self.clue_dim = speaker_encoder.clue_dim if given else 0
        self.encoder = encoder
        self.decoder = decoder
        self.fuser = fuser
        self.enrollment_fuser = enrollment_fuser
        self.norm = norm
        self.tcn = tcn
        self.mask_generator = mask_generator
        self.speaker_encoder = speaker_encoder
        self.speaker_classifier = None if given else nn.Linear(embedding_dim, num_speakers)
        if start == "mixture":
            start_as_cosines(encoder, decoder)
            mask_generator.start_at_one()

    @property
    def min_enrollment_samples(self) -> int:
        """Shortest enrollment: 35 ms at 8 kHz in the published size."""
        if self.clue_dim:
            return 1
        return self.encoder.kernel_sizes[0] + (self.speaker_encoder.min_frames - 1) * self.encoder.stride

    @property
    def context_samples(self) -> int:
        """Samples before (and, unless causal, behind) an output sample that convolutions reach; norms reach all."""
        return self.tcn.context * self.encoder.stride + self.encoder.kernel_sizes[-1]

    @property
    def latency_samples(self) -> int | None:
        """Samples of the mixture behind an output sample that a causal network waits for, at most; else None."""
        return self.encoder.kernel_sizes[0] - 1 if self.encoder.causal else None

    def clue(self, enrollment: Tensor, lengths: Tensor | None = None) -> Clue:
        """Enrollment (R, U) to the embedding of its speaker (R, D).

        Args:
            enrollment: (R, U).
            lengths: (R,) true samples of each enrollment, which alone matter; None if all U are.

        Raises:
            AudioError: for an enrollment under ``min_enrollment_samples``, or a length over U (lengths on a GPU are not
                looked at).
            UserError: if the network takes embeddings from elsewhere.
        """
        if self.clue_dim:
            raise UserError(
                f"this network makes no clue of recordings; give it embeddings of {self.clue_dim} numbers (--clue)"
            )
        enrollment, lengths = true_enrollment(enrollment, lengths, self.min_enrollment_samples)
        num_frames = None if lengths is None else self.encoder.num_frames(lengths)
        fuser = self.fuser if self.enrollment_fuser is None else self.enrollment_fuser
        return Clue(self.speaker_encoder(fuser(self.encoder(enrollment), num_frames), num_frames))

    def join(self, clues: Sequence[Clue], weights: Sequence[float] | None = None) -> Clue:
        """The mean of the embeddings."""
        return mean_embedding(clues, weights)

    def classify(self, clue: Clue) -> Tensor | None:
        """Scores (R, K) of the training speakers; None if the embeddings come from elsewhere."""
        return None if self.speaker_classifier is None else self.speaker_classifier(clue.embedding)

    def likeness(self, estimate: Tensor, clue: Clue) -> Tensor:
        """Cosines (R,) of the embeddings of speech (R, T) and those of the clues.

        NaN where the speech is shorter than an enrollment, or the embeddings come from elsewhere.
        """
        if self.clue_dim or estimate.shape[1] < self.min_enrollment_samples:
            return estimate.new_full((len(estimate),), torch.nan)
        return nn.functional.cosine_similarity(self.clue(estimate).embedding, clue.embedding)

    def forward(self, mixture: Tensor, clue: Clue) -> ExtractorOutput:
        """Mixtures (M, T) and R clues to the waveforms of all scales (R, S, T) and the scores of the speakers."""
        encodings = self.encoder(mixture)
        masks = self.masks(encodings, clue)
        return ExtractorOutput(self.decoder(_masked(encodings, masks), mixture.shape[1]), self.classify(clue))

    def extract(self, mixture: Tensor, clue: Clue) -> Tensor:
        """The short scale alone, which is the system's output: mixtures (M, T) and R clues to (R, T)."""
        encodings = self.encoder(mixture)
        masks = self.masks(encodings, clue, num_outputs=1)
        return self.decoder(_masked(encodings[:, :1], masks), mixture.shape[1])[:, 0]

    def stream(self, clue: Clue) -> ExtractionStream:
        """Extraction from mixtures that are still being recorded.

        Raises:
            UserError: if the network is not causal.
        """
        return ExtractionStream(self, clue)

    def masks(
        self, encodings: Tensor, clue: Clue, memory: Memory | None = None, *, num_outputs: int | None = None
    ) -> Tensor:
        """Masks (R, S', L, N) of the first S' = ``num_outputs`` scales (None: of all) of encodings (M, S, L, N)."""
        count = clues_per_mixture(clue, encodings)
        frames = self.fuser(encodings, memory=memory)
        if self.norm is not None:
            frames = self.norm(frames, memory=memory)
        if count > 1:
            frames = frames.repeat(count, 1, 1)  # from here on, the clue matters
        embedding = self.speaker_encoder(clue.embedding) if self.clue_dim else clue.embedding
        return self.mask_generator(self.tcn(frames, embedding, memory), memory, num_outputs=num_outputs)


def _masked(encodings: Tensor, masks: Tensor) -> Tensor:
    """Encodings (M, S, L, N) times the masks (Q M, S, L, N) of each, without a copy of the encodings for each."""
    if len(masks) == len(encodings):
        return encodings * masks
    return (encodings * masks.unflatten(0, (-1, len(encodings)))).flatten(0, 1)


class ExtractionStream:
    """Chunks of mixtures in, chunks of the targets out: together what ``network.extract`` gives for all at once.

    A sample comes out as soon as ``network.latency_samples`` (19 in the published size, 2.4 ms at 8 kHz) more samples
    of the mixture are in; what is kept in between does not grow with the signal.

    Args:
        network: a causal one, in evaluation mode.
        clue: R rows, of the speakers to extract; row r asks of mixture r % M.

    Raises:
        UserError: if the network is not causal.

    Example:
        stream = network.stream(network.clue(enrollment))
        output = [stream.push(chunk) for chunk in mixture.split(80, 1)] + [stream.finish()]
    """

    def __init__(self, network: ExtractionNetwork, clue: Clue):
        if not network.encoder.causal:
            raise UserError("streaming: expected a causal network, got one that needs all; train with causal: true")
        self._network = network
        self._clue = clue
        self._encoder: EncoderStream | None = None
        self._decoder = DecoderStream(network.decoder)
        self._memory: Memory = {}
        self._num_waiting = 0  # samples that are in but not yet out

    @torch.no_grad()
    def push(self, chunk: Tensor) -> Tensor:
        """The next samples of the mixtures (M, T'), T' >= 0, to what is complete of the targets, (R, T'')."""
        if self._encoder is None:
            self._encoder = EncoderStream(self._network.encoder, len(chunk))
        self._num_waiting += chunk.shape[1]
        return self._extract(self._encoder.push(chunk))

    @torch.no_grad()
    def finish(self) -> Tensor:
        """All samples still missing, so that as many come out as went in; call it once, at the end."""
        if self._num_waiting == 0:
            return self._nothing()
        waiting = self._num_waiting
        rest = torch.cat([self._extract(self._encoder.finish()), self._decoder.finish()], 1)[:, :waiting]
        self._num_waiting = 0
        return nn.functional.pad(rest, (0, waiting - rest.shape[1]))

    def _extract(self, encodings: Tensor | None) -> Tensor:
        if encodings is None:
            return self._nothing()
        masks = self._network.masks(encodings, self._clue, self._memory, num_outputs=1)
        short = encodings[:, 0].repeat(len(masks) // len(encodings), 1, 1)
        target = self._decoder.push(short * masks[:, 0])
        self._num_waiting -= target.shape[1]
        return target

    def _nothing(self) -> Tensor:
        return self._clue.embedding.new_zeros(len(self._clue), 0)
