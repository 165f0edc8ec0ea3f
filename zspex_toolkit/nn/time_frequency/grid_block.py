"""A TF-GridNet block: along the bands of each frame, along the time of each band, then from frame to frame.

Source: Wang et al., "TF-GridNet: integrating full- and sub-band modeling for speech separation", IEEE/ACM TASLP 2023:
its intra-frame full-band module, sub-band temporal module and cross-frame self-attention module. In the order of norm
and unfolding it follows the authors' code in ESPnet (``tfgridnet_separator.py``). Other than there: a recurrence may be
the gated linear one, which is quick on a CPU; signals of a batch may be padded.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.time_frequency.block import RECURRENCES, gated_states, torch_states
from zspex_toolkit.nn.time_frequency.spectrum import true_frames


class GridBlock(nn.Module):
    """(L, B, K, N) to the same.

    Args:
        num_bands: K.
        channels: N, a multiple of ``num_heads``.
        hidden: states of a recurrence in one direction, H.
        kernel: neighbours that a step of a recurrence sees, I; a multiple of ``stride``.
        stride: from step to step, J.
        recurrence: ``sru``, ``gru`` or ``lstm`` (as published).
        key_channels: channels of a band in the queries and keys of a head, E.
        num_heads: looks of the attention, each for a likeness of its own.

    Raises:
        ConfigError: for a value out of its range.
    """

    def __init__(
        self,
        num_bands: int,
        channels: int,
        hidden: int,
        *,
        kernel: int = 4,
        stride: int = 1,
        recurrence: str = "lstm",
        key_channels: int = 4,
        num_heads: int = 4,
    ):
        super().__init__()
        self.bands = UnfoldedRecurrence(channels, hidden, kernel, stride, recurrence)
        self.time = UnfoldedRecurrence(channels, hidden, kernel, stride, recurrence)
        self.frames = CrossFrameAttention(num_bands, channels, key_channels, num_heads)

    def forward(self, frames: Tensor, memory: Memory | None = None, *, num_frames: Tensor | None = None) -> Tensor:
        """(L, B, K, N) to the same.

        Args:
            frames: (L, B, K, N).
            memory: always None; the block needs all frames at once.
            num_frames: (B,) true frames of each signal, from the first; what lies behind them changes none of these.
                None: all.
        """
        frames = self.bands(frames.permute(2, 0, 1, 3)).permute(1, 2, 0, 3)
        return self.frames(self.time(frames, num_frames), num_frames)


class UnfoldedRecurrence(nn.Module):
    """A residual recurrence in both directions along the first size: bands of a frame, or frames of a band.

    A step sees ``kernel`` neighbours, the next one those ``stride`` further on; the way back is a transposed
    convolution. Zeros behind the last step fill up what does not fit the stride.

    Args:
        channels: N.
        hidden: states in each direction, H.
        kernel: I, a multiple of ``stride``.
        stride: J.
        recurrence: ``sru``, ``gru`` or ``lstm``.

    Raises:
        ConfigError: for a value out of its range.
    """

    def __init__(self, channels: int, hidden: int, kernel: int, stride: int, recurrence: str):
        if recurrence not in RECURRENCES:
            raise ConfigError(f"recurrence: expected one of {', '.join(RECURRENCES)}, got '{recurrence}'")
        if not 1 <= stride <= kernel or kernel % stride:
            raise ConfigError(f"kernel: expected a multiple of the stride ({stride}), got {kernel}")
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.norm = nn.LayerNorm(channels)
        if recurrence == "sru":
            self.inner = GatedSteps(kernel * channels, hidden)
        else:
            self.inner = TorchSteps(kernel * channels, hidden, recurrence)
        self.outer = nn.Linear(2 * hidden, kernel * channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(S, P, Q, N) to the same, S steps for each of P x Q; ``lengths`` (P,): steps that count, None: all."""
        normed = self.norm(frames)
        if lengths is not None:
            normed = normed * true_frames(frames, lengths)
            lengths = self._num_pieces(lengths)
        states = self.inner(self._unfold(normed), lengths)
        return frames + self._fold(self.outer(states), len(frames))

    def _num_pieces(self, length: Tensor | int) -> Tensor | int:
        """Pieces that together hold all of ``length`` steps: one at least."""
        behind = length - self.kernel + self.stride - 1
        if torch.is_tensor(length):
            return 1 + torch.div(behind, self.stride, rounding_mode="floor").clamp_min(0)
        return 1 + max(0, behind // self.stride)

    def _unfold(self, frames: Tensor) -> Tensor:
        """(S, P, Q, N) to pieces (S', P, Q, I N), zeros behind the last step."""
        size = (self._num_pieces(len(frames)) - 1) * self.stride + self.kernel
        padded = functional.pad(frames, (0, 0, 0, 0, 0, 0, 0, size - len(frames)))
        count = size - self.kernel + 1
        return torch.cat([padded[begin : begin + count : self.stride] for begin in range(self.kernel)], -1)

    def _fold(self, pieces: Tensor, length: int) -> Tensor:
        """Pieces (S', P, Q, I N) to their sum where they overlap, (S, P, Q, N)."""
        parts = pieces.unflatten(-1, (self.kernel // self.stride, self.stride, -1)).unbind(3)  # each (S', P, Q, J, N)
        last = len(parts) - 1
        summed = sum(functional.pad(part, (0, 0) * 4 + (at, last - at)) for at, part in enumerate(parts))
        return summed.movedim(3, 1).flatten(0, 1)[:length] + self.bias


class GatedSteps(nn.Module):
    """Both directions of :func:`gated_scan`, with an output gate.

    Args:
        num_inputs: C.
        hidden: H.
    """

    def __init__(self, num_inputs: int, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.inner = nn.Linear(num_inputs, 4 * hidden)
        self.gate = nn.Linear(num_inputs, 2 * hidden)
        with torch.no_grad():  # from two steps to fifty
            self.inner.bias[: 2 * hidden] = torch.linspace(0, 4, hidden).repeat(2)

    def forward(self, steps: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(S, P, Q, C) and steps that count (P,), None: all, to (S, P, Q, 2 H)."""
        if lengths is None:
            return gated_states(steps, self.inner, self.gate, backwards=self.hidden)[0]
        counts = true_frames(steps, lengths)
        # The forward states fade behind the end; zeros there, as pieces may reach back before it.
        return counts * gated_states(steps, self.inner, self.gate, counts=counts, backwards=self.hidden)[0]


class TorchSteps(nn.Module):
    """Torch's GRU or LSTM in both directions.

    Args:
        num_inputs: C.
        hidden: H.
        kind: ``gru`` or ``lstm``.
    """

    def __init__(self, num_inputs: int, hidden: int, kind: str):
        super().__init__()
        self.inner = getattr(nn, kind.upper())(num_inputs, hidden, bidirectional=True)

    def forward(self, steps: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(S, P, Q, C) and steps that count (P,), None: all, to (S, P, Q, 2 H)."""
        states, _ = torch_states(self.inner, steps, num_steps=lengths)
        return states


class CrossFrameAttention(nn.Module):
    """Self-attention among whole frames, residual.

    Args:
        num_bands: K.
        channels: N, a multiple of ``num_heads``.
        key_channels: E, of a band in the queries and keys of a head.
        num_heads: heads.

    Raises:
        ConfigError: if the heads cannot share the channels.
    """

    def __init__(self, num_bands: int, channels: int, key_channels: int, num_heads: int):
        if channels % num_heads:
            raise ConfigError(f"channels: expected a multiple of the {num_heads} heads, got {channels}")
        super().__init__()
        self.query = HeadProjection(num_bands, channels, key_channels, num_heads)
        self.key = HeadProjection(num_bands, channels, key_channels, num_heads)
        self.value = HeadProjection(num_bands, channels, channels // num_heads, num_heads)
        self.out = HeadProjection(num_bands, channels, channels, 1)

    def forward(self, frames: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """(L, B, K, N), of which the first ``num_frames`` (B,) are looked at (None: all), to the same."""
        mask = None
        if num_frames is not None:
            mask = true_frames(frames, num_frames).permute(1, 2, 3, 0)  # (B, 1, 1, L)
        query, key, value = (
            project(frames).flatten(3).permute(1, 2, 0, 3) for project in (self.query, self.key, self.value)
        )  # (B, heads, L, K E), of values (B, heads, L, K N / heads)
        found = functional.scaled_dot_product_attention(query, key, value.to(query.dtype), attn_mask=mask)
        found = found.unflatten(3, (frames.shape[2], -1)).permute(2, 0, 3, 1, 4).flatten(3)  # (L, B, K, N)
        return frames + self.out(found)[:, :, 0]


class HeadProjection(nn.Module):
    """1 x 1 convolution, PReLU and a norm over all bands of a frame, in each head for itself.

    Args:
        num_bands: K.
        channels: N.
        size: channels of a head, E.
        num_heads: heads.
    """

    def __init__(self, num_bands: int, channels: int, size: int, num_heads: int):
        super().__init__()
        self.shape = (num_heads, size)
        self.linear = nn.Linear(channels, num_heads * size)
        self.slope = nn.Parameter(torch.full((num_heads,), 0.25))
        self.gain = nn.Parameter(torch.ones(num_heads, num_bands, size))
        self.shift = nn.Parameter(torch.zeros(num_heads, num_bands, size))

    def forward(self, frames: Tensor) -> Tensor:
        """(L, B, K, N) to (L, B, heads, K, E)."""
        heads = self.linear(frames).flatten(0, 2)  # channels in second place, as prelu wants them
        slope = self.slope.repeat_interleave(self.shape[1]).to(heads.dtype)
        heads = functional.prelu(heads, slope).view(*frames.shape[:3], *self.shape).transpose(2, 3)
        normed = functional.layer_norm(heads, heads.shape[3:])
        return torch.addcmul(self.shift, normed, self.gain)
