"""Extraction from a mixture that is still being recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from zspex_toolkit.errors import UserError
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.nn.coder_stream import DecoderStream, EncoderStream
from zspex_toolkit.nn.streaming import Memory

if TYPE_CHECKING:
    from zspex_toolkit.models.extraction_network import ExtractionNetwork


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
        return functional.pad(rest, (0, waiting - rest.shape[1]))

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
