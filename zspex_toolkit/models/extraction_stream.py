"""Extraction from a mixture that is still being recorded."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from zspex_toolkit.errors import UserError
from zspex_toolkit.models.extraction_network import ExtractionNetwork
from zspex_toolkit.nn.coder_stream import DecoderStream, EncoderStream
from zspex_toolkit.nn.streaming import Memory


class ExtractionStream:
    """Chunks of a mixture in, chunks of the target out: together what ``network.extract`` gives for all at once.

    A sample comes out as soon as ``network.latency_samples`` (19 in the published size, 2.4 ms at 8 kHz) more samples
    of the mixture are in; what is kept in between does not grow with the signal.

    Args:
        network: a causal one, in evaluation mode.
        embedding: (B, D), of the speakers to extract.

    Raises:
        UserError: if the network is not causal.

    Example:
        stream = ExtractionStream(network, network.embed(enrollment))
        output = [stream.push(chunk) for chunk in mixture.split(80, 1)] + [stream.finish()]
    """

    def __init__(self, network: ExtractionNetwork, embedding: Tensor):
        if not network.encoder.causal:
            raise UserError("streaming: expected a causal network, got one that needs all; train with causal: true")
        self._network = network
        self._embedding = embedding
        self._encoder = EncoderStream(network.encoder, embedding.shape[0])
        self._decoder = DecoderStream(network.decoder)
        self._memory: Memory = {}
        self._num_waiting = 0  # samples that are in but not yet out

    @torch.no_grad()
    def push(self, chunk: Tensor) -> Tensor:
        """The next samples of the mixture (B, T'), T' >= 0, to those of the target that are complete now, (B, T'')."""
        self._num_waiting += chunk.shape[1]
        return self._extract(self._encoder.push(chunk))

    @torch.no_grad()
    def finish(self) -> Tensor:
        """All samples still missing, so that as many come out as went in; call it once, at the end."""
        if self._num_waiting == 0:
            return self._embedding.new_zeros(self._embedding.shape[0], 0)
        waiting = self._num_waiting
        rest = torch.cat([self._extract(self._encoder.finish()), self._decoder.finish()], 1)[:, :waiting]
        self._num_waiting = 0
        return functional.pad(rest, (0, waiting - rest.shape[1]))

    def _extract(self, encodings: Tensor | None) -> Tensor:
        if encodings is None:
            return self._embedding.new_zeros(self._embedding.shape[0], 0)
        masks = self._network.masks(encodings, self._embedding, self._memory, num_outputs=1)
        target = self._decoder.push(encodings[:, 0] * masks[:, 0])
        self._num_waiting -= target.shape[1]
        return target
