"""Z-SpEx: SpEx+ whose scales interact, and whose speaker modulates what is heard."""

from __future__ import annotations

from torch import nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.extraction_network import ExtractionNetwork
from zspex_toolkit.models.extractors import spex_plus
from zspex_toolkit.nn.given_embedding import own_or_given
from zspex_toolkit.nn.multi_scale.scales import MaskGenerator, PlainFuser, ScaleInterFuser
from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder
from zspex_toolkit.nn.sequence_norm import SequenceNorm
from zspex_toolkit.nn.tac import TransformAverageConcatenate
from zspex_toolkit.nn.tcn import SpeakerTcn

__all__ = ["ZSpex"]

# Settings of the contract test: small, in every kind of the network that there is.
SMALL = {kind: options | {"tac_hidden": 7} for kind, options in spex_plus.SMALL.items()}


class ZSpex(ExtractionNetwork):
    """Z-SpEx; 11,352,394 parameters for 251 speakers.

    With ``fuser="plain", shared_fuser=False, conditioning="concat", mask_generator="separate"`` it is SpEx+.

    Args:
        num_speakers: K training speakers.
        num_filters, kernel_sizes, stride, bottleneck, hidden, kernel_size, num_blocks, num_stacks, embedding_dim,
            speaker_hidden, causal, start, clue_dim: as of ``SpexPlus``.
        fuser: ``scale_inter``; or ``plain``, that of SpEx+.
        shared_fuser: one fuser serves mixture and enrollment; else each has its own, as in SpEx+.
        conditioning: ``consm``, scale and shift at the head of each stack; or ``concat``, the embedding joined to the
            input of each stack's first block, as in SpEx+.
        mask_generator: ``scale_inter``, masks made jointly; or ``separate``, as in SpEx+.
        norm: normalise the mixture's fused frames over channels and time, which the diagram draws behind the fuser
            (that it is gLN is a reading). None: with the ScaleInter fuser only, since SpEx+ has no such norm. A ConSM
            that normalises does it again, so that with one only the gains of its channels are its own.
        tac_hidden: H of transform-average-concatenate, which is a reading of both ScaleInter boxes.
        tac_norm: normalise what it adds to each scale (a reading).
        tac_residual: add its output to its input (a reading).
        consm_norm: normalise the frames that ConSM modulates (a reading).

    Source: Chen et al., "MC-SpEx: Towards effective speaker extraction with multi-scale interfusion and conditional
    speaker modulation", Interspeech 2023. Its block diagram says what is connected; the insides of the boxes are ours.

    Raises:
        ConfigError: for a value that is none of the above.
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
        fuser: str = "scale_inter",
        shared_fuser: bool = True,
        conditioning: str = "consm",
        mask_generator: str = "scale_inter",
        norm: bool | None = None,
        tac_hidden: int = 192,
        tac_norm: bool = True,
        tac_residual: bool = True,
        consm_norm: bool = True,
    ):
        _check("fuser", fuser, ("scale_inter", "plain"))
        _check("conditioning", conditioning, ("consm", "concat"))
        _check("mask_generator", mask_generator, ("scale_inter", "separate"))
        num_scales = len(kernel_sizes)

        def exchange() -> TransformAverageConcatenate:
            return TransformAverageConcatenate(
                num_filters, tac_hidden, norm=tac_norm, residual=tac_residual, causal=causal
            )

        def new_fuser() -> nn.Module:
            sizes = (num_scales, num_filters, bottleneck)
            return PlainFuser(*sizes) if fuser == "plain" else ScaleInterFuser(*sizes, exchange())

        joint = mask_generator == "scale_inter"
        normed = fuser == "scale_inter" if norm is None else norm
        super().__init__(
            num_speakers,
            encoder=SpeechEncoder(num_filters, kernel_sizes, stride, causal=causal),
            decoder=SpeechDecoder(num_filters, kernel_sizes, stride, causal=causal),
            fuser=new_fuser(),
            enrollment_fuser=None if shared_fuser or clue_dim else new_fuser(),
            norm=SequenceNorm(bottleneck, causal=causal) if normed else None,
            tcn=SpeakerTcn(
                bottleneck,
                hidden,
                embedding_dim,
                kernel_size=kernel_size,
                num_blocks=num_blocks,
                num_stacks=num_stacks,
                conditioning=conditioning,
                consm_norm=consm_norm,
                causal=causal,
            ),
            mask_generator=MaskGenerator(bottleneck, num_scales, num_filters, exchange() if joint else None),
            speaker_encoder=own_or_given(clue_dim, bottleneck, speaker_hidden, embedding_dim),
            embedding_dim=embedding_dim,
            start=start,
        )


def _check(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{option}: expected one of {', '.join(choices)}, got '{value}'")
