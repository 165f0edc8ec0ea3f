"""SpEx+: multi-scale time-domain target speaker extraction."""

from __future__ import annotations

from zspex_toolkit.models.extraction_network import ExtractionNetwork
from zspex_toolkit.nn.given_embedding import own_or_given
from zspex_toolkit.nn.multi_scale.scales import MaskGenerator, PlainFuser
from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder
from zspex_toolkit.nn.tcn import SpeakerTcn

__all__ = ["SpexPlus"]

# Settings of the contract test: small, in every kind of the network that there is.
_SMALL = {
    "num_filters": 8,
    "kernel_sizes": (4, 8, 12),
    "stride": 2,
    "bottleneck": 6,
    "hidden": 12,
    "num_blocks": 2,
    "num_stacks": 2,
    "embedding_dim": 5,
    "speaker_hidden": 9,
}
SMALL = {"plain": _SMALL, "causal": _SMALL | {"causal": True}, "given": _SMALL | {"clue_dim": 7}}


class SpexPlus(ExtractionNetwork):
    """SpEx+; 11,138,734 parameters for 101 speakers.

    Args:
        num_speakers: K training speakers.
        num_filters: N filters of each scale.
        kernel_sizes: samples of the filters of each scale, ascending: 2.5, 10 and 20 ms at 8 kHz.
        stride: samples from frame to frame.
        bottleneck: channels of the fused frames, and of the first residual block.
        hidden: channels within a TCN block.
        kernel_size: of the depthwise convolutions.
        num_blocks: TCN blocks a stack, dilations 1, 2, ..., 2 ** (num_blocks - 1).
        num_stacks: stacks, each of which gets the embedding at its head.
        embedding_dim: D.
        speaker_hidden: channels of the last two residual blocks.
        causal: let every output sample depend on ``latency_samples`` of the mixture's future alone [ours]: causal
            convolutions, cumulative norms, and kernels of a frame that end together.
        start: ``random``, or ``mixture``, with which training begins at the mixture [ours], see ``ExtractionNetwork``.
        clue_dim: numbers of the embeddings from elsewhere (x-vectors) that it takes as clues, in the place of its own
            speaker encoder; 0: it has its own [ours].

    Source: Ge et al., "SpEx+: A complete time domain speaker extraction network", Interspeech 2020.
    """

    def __init__(
        self,
        num_speakers: int,
        *,
        num_filters: int = 256,
        kernel_sizes: tuple[int, ...] = (20, 80, 160),
        stride: int = 10,
        bottleneck: int = 256,
        hidden: int = 512,
        kernel_size: int = 3,
        num_blocks: int = 8,
        num_stacks: int = 4,
        embedding_dim: int = 256,
        speaker_hidden: int = 512,
        causal: bool = False,
        start: str = "random",
        clue_dim: int = 0,
    ):
        fused = (len(kernel_sizes), num_filters, bottleneck)
        super().__init__(
            num_speakers,
            encoder=SpeechEncoder(num_filters, kernel_sizes, stride, causal=causal),
            decoder=SpeechDecoder(num_filters, kernel_sizes, stride, causal=causal),
            fuser=PlainFuser(*fused),
            enrollment_fuser=None if clue_dim else PlainFuser(*fused),
            norm=None,
            tcn=SpeakerTcn(
                bottleneck,
                hidden,
                embedding_dim,
                kernel_size=kernel_size,
                num_blocks=num_blocks,
                num_stacks=num_stacks,
                causal=causal,
            ),
            mask_generator=MaskGenerator(bottleneck, len(kernel_sizes), num_filters),
            speaker_encoder=own_or_given(clue_dim, bottleneck, speaker_hidden, embedding_dim),
            embedding_dim=embedding_dim,
            start=start,
        )
