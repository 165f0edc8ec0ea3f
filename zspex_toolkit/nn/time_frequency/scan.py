"""A gated linear recurrence over time: each channel keeps a share of what it held, and takes the rest from what is new.

h_t = a_t h_(t-1) + (1 - a_t) c_t  with  a_t = sigmoid(f_t).

Nothing is multiplied by a matrix from step to step, so all products of the layer around it are done at once, before.
What is left is done one step at a time, each in one operation: steps of a batch are long enough for that on a CPU.
A GPU would wait for the launches of so many small operations; there the signal is cut into about sqrt(L) pieces, all of
which take their steps side by side, and what each inherits is added afterwards.

Source: Lei et al., "Simple recurrent units for highly parallelizable recurrence", EMNLP 2018, equations 1 to 4, without
the dependence of the gate on the state; Martin and Cundy, "Parallelizing linear recurrent neural nets over sequence
length", ICLR 2018, for the pieces.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def gated_scan(forget: Tensor, candidate: Tensor, state: Tensor | None = None, *, backwards: int = 0) -> Tensor:
    """The states of the recurrence at every step.

    Args:
        forget: (L, ..., H), before the sigmoid.
        candidate: (L, ..., H).
        state: (..., H) before the first step; None for zeros.
        backwards: so many of the H channels, the last ones, go from the last step to the first; their ``state`` is
            behind the last.

    Returns:
        (L, ..., H) in single precision.
    """
    first = torch.zeros_like(candidate[0], dtype=torch.float32) if state is None else state
    return _GatedScan.apply(forget, candidate, first, backwards)


class _GatedScan(torch.autograd.Function):
    """The recurrence and its gradient, which is the recurrence in the other direction."""

    @staticmethod
    def forward(ctx, forget: Tensor, candidate: Tensor, first: Tensor, backwards: int) -> Tensor:
        decay, fresh = torch.sigmoid(forget.float()), candidate.float()
        states = torch.empty_like(fresh, memory_format=torch.contiguous_format)
        for part, back in _directions(decay, backwards):
            _blend(decay[part], fresh[part], first[part[1:]], states[part], back)
        ctx.save_for_backward(decay, fresh, first, states)
        ctx.backwards, ctx.dtypes = backwards, (forget.dtype, candidate.dtype)
        return states

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        decay, fresh, first, states = ctx.saved_tensors
        gradient = gradient.float()
        # What reaches the state of a step: its own gradient, and through the next step's decay that of the next.
        through, of_forget = torch.empty_like(states), torch.empty_like(states)
        of_first = torch.empty_like(first)
        for part, back in _directions(decay, ctx.backwards):
            begin, later, earlier = (-1, slice(-1), slice(1, None)) if back else (0, slice(1, None), slice(-1))
            _accumulate(decay[part], gradient[part], through[part], not back)
            torch.sub(states[part][earlier], fresh[part][later], out=of_forget[part][later])
            torch.sub(first[part[1:]], fresh[part][begin], out=of_forget[part][begin])
            torch.mul(decay[part][begin], through[part][begin], out=of_first[part[1:]])
        of_fresh = torch.addcmul(through, through, decay, value=-1)
        of_forget.mul_(of_fresh).mul_(decay)
        return of_forget.to(ctx.dtypes[0]), of_fresh.to(ctx.dtypes[1]), of_first, None


def _directions(values: Tensor, backwards: int) -> list[tuple[tuple, bool]]:
    """The channels of each direction, as an index, and whether they go backwards."""
    ahead = values.shape[-1] - backwards
    parts = (((slice(None), ..., slice(ahead)), False), ((slice(None), ..., slice(ahead, None)), True))
    return [part for part, size in zip(parts, (ahead, backwards), strict=True) if size]


def _goes_step_by_step(values: Tensor) -> bool:
    return values.device.type == "cpu"


def _blend(decay: Tensor, fresh: Tensor, first: Tensor, out: Tensor, backwards: bool) -> None:
    """h = decay h + (1 - decay) fresh, into ``out``."""
    if not _goes_step_by_step(decay):
        fresh = torch.addcmul(fresh, decay, fresh, value=-1)
        ends = (0,) if backwards else ()
        out.copy_(_in_pieces(decay.flip(ends), fresh.flip(ends), first).flip(ends))
        return
    steps = list(zip(decay.unbind(), fresh.unbind(), out.unbind(), strict=True))
    for share, new, state in reversed(steps) if backwards else steps:
        torch.lerp(new, first, share, out=state)
        first = state


def _accumulate(decay: Tensor, value: Tensor, out: Tensor, backwards: bool) -> None:
    """h = value + (decay of the step before) h, into ``out``; zeros come before the first step."""
    if not _goes_step_by_step(decay):
        ends = (0,) if backwards else ()
        decay, value = decay.flip(ends), value.flip(ends)
        share = torch.cat([decay[:1], decay[:-1]])
        out.copy_(_in_pieces(share, value, torch.zeros_like(value[0])).flip(ends))
        return
    steps = list(zip(decay.unbind(), value.unbind(), out.unbind(), strict=True))
    share = before = None
    for decayed, new, state in reversed(steps) if backwards else steps:
        if before is None:
            state.copy_(new)
        else:
            torch.addcmul(new, share, before, out=state)
        share, before = decayed, state


def _in_pieces(decay: Tensor, value: Tensor, first: Tensor) -> Tensor:
    """h = decay h + value: pieces side by side as if each began with zeros, and what each inherits from the others."""
    length = len(decay)
    size = max(1, math.isqrt(length))
    count = -(-length // size)
    padding = (*[0] * (2 * (decay.dim() - 1)), 0, count * size - length)
    decays, values = (functional.pad(x, padding).unflatten(0, (count, size)).transpose(0, 1) for x in (decay, value))
    states, shares = [values[0]], [decays[0]]
    for share, new in zip(decays[1:], values[1:], strict=True):
        states.append(torch.addcmul(new, share, states[-1]))
        shares.append(shares[-1] * share)
    inherited = [first]
    for share, end in zip(shares[-1][:-1], states[-1][:-1], strict=True):
        inherited.append(torch.addcmul(end, share, inherited[-1]))
    heritage = torch.stack(inherited)
    joined = torch.stack([torch.addcmul(s, a, heritage) for s, a in zip(states, shares, strict=True)])
    return joined.transpose(0, 1).flatten(0, 1)[:length]
