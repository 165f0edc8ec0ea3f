"""A block of a band-split network: each band along time, then the bands of each frame among themselves."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import rnn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.time_frequency.scan import gated_scan

RECURRENCES = ("sru", "gru", "lstm")


class BandSplitBlock(nn.Module):
    """(L, B, K, N) to the same.

    Args:
        num_bands: K.
        channels: N.
        hidden: states of a band in one direction.
        mixing: units of the layer that sees all bands of a frame.
        recurrence: ``sru``, ``gru`` or ``lstm``, along time.
        causal: go along time in one direction only.
    """

    def __init__(
        self, num_bands: int, channels: int, hidden: int, mixing: int, *, recurrence: str = "sru", causal: bool = False
    ):
        if recurrence not in RECURRENCES:
            raise ConfigError(f"recurrence: expected one of {', '.join(RECURRENCES)}, got '{recurrence}'")
        super().__init__()
        if recurrence == "sru":
            self.time = GatedRecurrence(channels, hidden, causal=causal)
        else:
            self.time = TorchRecurrence(channels, hidden, recurrence, causal=causal)
        self.bands = BandMixer(num_bands, channels, mixing)

    def forward(self, frames: Tensor, memory: Memory | None = None, *, num_frames: Tensor | None = None) -> Tensor:
        """(L, B, K, N) to the same.

        Args:
            frames: (L, B, K, N).
            memory: of a stream, updated.
            num_frames: (B,) true frames of each signal, from the first; what lies behind them changes none of these.
                None: all.
        """
        return self.bands(self.time(frames, memory, num_frames))


class GatedRecurrence(nn.Module):
    """A residual layer along time around :func:`gated_scan`, shared by all bands.

    A quarter of the channels is seen one frame late and, unless causal, a quarter one frame early, so that gates know
    where speech begins and ends. Gates start open for different times: channels hold from two frames to fifty.

    Args:
        channels: N.
        hidden: states in each direction, H.
        causal: one direction only.

    Sources: Lei et al., EMNLP 2018 (the recurrence); Lin et al., "TSM: temporal shift module for efficient video
    understanding", ICCV 2019 (channels of neighbouring frames).
    """

    def __init__(self, channels: int, hidden: int, *, causal: bool = False):
        super().__init__()
        self.causal, self.shifted = causal, channels // 4
        self.num_states = hidden * (1 if causal else 2)
        self.num_backwards = 0 if causal else hidden
        self.norm = nn.LayerNorm(channels)
        self.inner = nn.Linear(channels, 2 * self.num_states)
        self.gate = nn.Linear(channels, self.num_states)
        self.outer = nn.Linear(self.num_states, channels)
        with torch.no_grad():
            self.inner.bias[: self.num_states] = torch.linspace(0, 4, hidden).repeat(1 if causal else 2)

    def forward(self, frames: Tensor, memory: Memory | None = None, num_frames: Tensor | None = None) -> Tensor:
        """(L, B, K, N) to the same; arguments as of :class:`BandSplitBlock`."""
        past, state = (None, None) if memory is None else memory.get(self, (None, None))
        normed, counts = self.norm(frames), None
        if num_frames is not None:
            counts = (torch.arange(len(frames), device=frames.device)[:, None] < num_frames)[..., None, None]
            normed = normed * counts
        seen = self._shift(normed, past)
        forget, candidate = self.inner(seen).chunk(2, -1)
        if counts is not None:  # behind the end the state stays the zero that it begins with
            candidate = candidate * counts
        states = gated_scan(forget, candidate, state, backwards=self.num_backwards)
        if memory is not None:
            memory[self] = (normed[-1:, ..., : self.shifted], states[-1])
        gate = nn.functional.silu(self.gate(seen))
        return frames + self.outer(states.to(gate.dtype) * gate)

    def _shift(self, frames: Tensor, past: Tensor | None) -> Tensor:
        size = self.shifted
        late, rest = frames[..., :size], frames[..., size:]
        late = torch.cat([torch.zeros_like(late[:1]) if past is None else past, late[:-1]])
        if self.causal:
            return torch.cat([late, rest], -1)
        early, rest = rest[..., :size], rest[..., size:]
        return torch.cat([late, torch.cat([early[1:], torch.zeros_like(early[:1])]), rest], -1)


class TorchRecurrence(nn.Module):
    """A residual GRU or LSTM along time, shared by all bands: the quicker one on a GPU.

    Args:
        channels: N.
        hidden: states in each direction.
        kind: ``gru`` or ``lstm``.
        causal: one direction only.
    """

    def __init__(self, channels: int, hidden: int, kind: str, *, causal: bool = False):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.inner = getattr(nn, kind.upper())(channels, hidden, bidirectional=not causal)
        self.outer = nn.Linear(hidden * (1 if causal else 2), channels)

    def forward(self, frames: Tensor, memory: Memory | None = None, num_frames: Tensor | None = None) -> Tensor:
        """(L, B, K, N) to the same; arguments as of :class:`BandSplitBlock`."""
        bands = self.norm(frames).flatten(1, 2)
        if num_frames is None:
            states, last = self.inner(bands, None if memory is None else memory.get(self))
        else:
            lengths = num_frames.cpu().repeat_interleave(frames.shape[2])
            packed, last = self.inner(rnn.pack_padded_sequence(bands, lengths, enforce_sorted=False))
            states, _ = rnn.pad_packed_sequence(packed, total_length=len(frames))
        if memory is not None:
            memory[self] = last
        return frames + self.outer(states).view_as(frames)


class BandMixer(nn.Module):
    """A residual layer that sees all bands of a frame at once.

    Args:
        num_bands: K.
        channels: N.
        hidden: units of its inner layer.
    """

    def __init__(self, num_bands: int, channels: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(num_bands * channels)
        self.inner = nn.Linear(num_bands * channels, hidden)
        self.outer = nn.Linear(hidden, num_bands * channels)

    def forward(self, frames: Tensor) -> Tensor:
        """(L, B, K, N) to the same."""
        mixed = self.outer(nn.functional.gelu(self.inner(self.norm(frames.flatten(2)))))
        return frames + mixed.view_as(frames)
