"""The coders of a causal network, chunk by chunk."""

from __future__ import annotations

import torch
from torch import Tensor

from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder, overlap_add


class EncoderStream:
    """Frames as soon as all their samples are there; together those that the encoder gives for the whole signal.

    Args:
        encoder: a causal one.
        batch_size: B.
    """

    def __init__(self, encoder: SpeechEncoder, batch_size: int):
        assert encoder.causal, "kernels that begin together look ahead by the longest"
        self._encoder = encoder
        self._longest = encoder.kernel_sizes[-1]
        past = self._longest - encoder.kernel_sizes[0]
        self._pending = encoder.filters[0].weight.new_zeros(batch_size, past)
        self._begun = False

    def push(self, chunk: Tensor) -> Tensor | None:
        """(B, T'), T' >= 0, to the frames that are complete now, (B, S, L', N); None if there are none."""
        self._pending = torch.cat([self._pending, chunk.to(self._pending)], 1)
        num_frames = (self._pending.shape[1] - self._longest) // self._encoder.stride + 1
        if num_frames < 1:
            return None
        frames = self._encoder.encode(self._pending, num_frames)
        self._pending = self._pending[:, num_frames * self._encoder.stride :]
        self._begun = True
        return frames

    def finish(self) -> Tensor | None:
        """The one frame, zeros behind its end, of a signal shorter than it; None for any other."""
        return None if self._begun else self._encoder.encode(self._pending, 1)


class DecoderStream:
    """Samples of the short scale as soon as no later frame adds to them.

    Args:
        decoder: of a causal network.
    """

    def __init__(self, decoder: SpeechDecoder):
        self._layer = decoder.filters[0]
        self._stride = self._layer.stride[0]
        self._tail: Tensor | None = None  # what frames so far add to samples that are not yet complete

    def push(self, encoding: Tensor) -> Tensor:
        """(B, L', N), L' >= 1, to (B, L' * stride)."""
        with torch.autocast(encoding.device.type, enabled=False):
            summed = overlap_add(encoding.float(), self._layer)
        if self._tail is not None:
            summed[:, : self._tail.shape[1]] += self._tail
        complete = encoding.shape[1] * self._stride
        self._tail = summed[:, complete:]
        return summed[:, :complete] + self._layer.bias

    def finish(self) -> Tensor:
        """The samples behind the last frame's first stride, (B, kernel - stride)."""
        assert self._tail is not None, "push at least one frame first"
        return self._tail + self._layer.bias
