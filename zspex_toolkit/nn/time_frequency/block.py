"""A block of a band-split network: each band along time, then the bands of each frame among themselves."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import rnn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.streaming import Memory
from zspex_toolkit.nn.time_frequency.scan import gated_scan
from zspex_toolkit.nn.time_frequency.spectrum import true_frames

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
            counts = true_frames(frames, num_frames)
            normed = normed * counts
        seen = self._shift(normed, past)
        states, last = gated_states(seen, self.inner, self.gate, state, counts, backwards=self.num_backwards)
        if memory is not None:
            memory[self] = (normed[-1:, ..., : self.shifted], last)
        return frames + self.outer(states)

    def _shift(self, frames: Tensor, past: Tensor | None) -> Tensor:
        size = self.shifted
        late, rest = frames[..., :size], frames[..., size:]
        late = torch.cat([torch.zeros_like(late[:1]) if past is None else past, late[:-1]])
        if self.causal:
            return torch.cat([late, rest], -1)
        early, rest = rest[..., :size], rest[..., size:]
        return torch.cat([late, torch.cat([early[1:], torch.zeros_like(early[:1])]), rest], -1)


def gated_states(
    seen: Tensor,
    inner: nn.Linear,
    gate: nn.Linear,
    state: Tensor | None = None,
    counts: Tensor | None = None,
    *,
    backwards: int,
) -> tuple[Tensor, Tensor]:
    """States of :func:`gated_scan` behind an output gate, and those of the last step before that gate.

    Args:
        seen: (L, ..., C), what the gates are made of.
        inner: C to 2 H, forget gates and candidates.
        gate: C to H.
        state: (..., H) before the first step; None for zeros.
        counts: (L, ..., 1), true where a step is part of the signal, false behind its end; None: all are.
        backwards: so many of the H channels go from the last step to the first.

    Returns:
        (L, ..., H) and (..., H).
    """
    forget, candidate = inner(seen).chunk(2, -1)
    if counts is not None:  # behind the end the state stays the zero that it begins with
        candidate = candidate * counts
    states = gated_scan(forget, candidate, state, backwards=backwards)
    opened = nn.functional.silu(gate(seen))
    return states.to(opened.dtype) * opened, states[-1]


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
        states, last = torch_states(
            self.inner, self.norm(frames), None if memory is None else memory.get(self), num_steps=num_frames
        )
        if memory is not None:
            memory[self] = last
        return frames + self.outer(states)


def torch_states(
    inner: nn.GRU | nn.LSTM, steps: Tensor, state: Any = None, *, num_steps: Tensor | None = None
) -> tuple[Tensor, Any]:
    """What torch's recurrence makes of steps (S, P, Q, C), of which ``num_steps`` (P,) count (None: all).

    On a CPU they are computed in single precision, under autocast too: there a recurrence in half precision needs
    AVX-512, and fails without.

    Returns:
        (S, P, Q, H) and the last state; ``state`` is that before the first step.
    """
    on_cpu = steps.device.type == "cpu"
    rows = steps.flatten(1, 2)
    with torch.autocast("cpu", enabled=False) if on_cpu else contextlib.nullcontext():
        if on_cpu:
            rows = rows.to(inner.weight_ih_l0.dtype)
        if num_steps is None:
            states, last = inner(rows, state)
        else:
            counts = num_steps.cpu().repeat_interleave(steps.shape[2])
            packed, last = inner(rnn.pack_padded_sequence(rows, counts, enforce_sorted=False), state)
            states, _ = rnn.pad_packed_sequence(packed, total_length=len(steps))
    return states.unflatten(1, steps.shape[1:3]), last


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
