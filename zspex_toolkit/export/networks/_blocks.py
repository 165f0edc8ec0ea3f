"""Blocks of a band-split network as parts of an ONNX graph, and what they remember."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from zspex_toolkit.export.graph import Graph
from zspex_toolkit.nn.time_frequency.block import BandSplitBlock, GatedRecurrence, TorchRecurrence


class State:
    """What a stream remembers, as inputs ``state_*`` and outputs ``next_*``; of a whole signal, zeros that end here."""

    def __init__(self, graph: Graph, streams: bool):
        self.graph, self.streams = graph, streams

    def before(self, name: str, shape: tuple[int, ...]) -> str | np.ndarray:
        if self.streams:
            return self.graph.input(f"state_{name}", shape)
        return np.zeros(shape, np.float32)

    def after(self, name: str, value: str, shape: tuple[int, ...]) -> None:
        if self.streams:
            self.graph.output(f"next_{name}", value, shape)


def add_block(g: Graph, block: BandSplitBlock, frames: str, state: State, index: int) -> str:
    """(L, K, N) to the same."""
    channels = block.time.norm.normalized_shape[0]
    num_bands = block.bands.inner.in_features // channels
    along = _gated if isinstance(block.time, GatedRecurrence) else _gru_or_lstm
    frames = along(g, block.time, frames, num_bands, state, f"block{index}")
    flat = g.norm(g.reshape(frames, -1, num_bands * channels), block.bands.norm)
    mixed = g.linear(g("Gelu", g.linear(flat, block.bands.inner)), block.bands.outer)
    return g("Add", frames, g.reshape(mixed, -1, num_bands, channels))


def _gated(g: Graph, layer: GatedRecurrence, frames: str, num_bands: int, state: State, name: str) -> str:
    normed = g.norm(frames, layer.norm)
    last_shape, states_shape = (1, num_bands, layer.shifted), (num_bands, layer.num_states)
    rest = layer.norm.normalized_shape[0] - layer.shifted
    late, kept = g.split(normed, (layer.shifted, rest), 2)
    parts = [g.join(state.before(f"{name}_frame", last_shape), g.part(late, (0,), (-1,), 0), axis=0), kept]
    state.after(f"{name}_frame", g.part(late, (-1,), None, 0), last_shape)
    if not layer.causal:
        early, kept = g.split(kept, (layer.shifted, rest - layer.shifted), 2)
        zeros = np.zeros(last_shape, np.float32)
        parts[1:] = [g.join(g.part(early, (1,), None, 0), zeros, axis=0), kept]
    seen = g.join(*parts, axis=2)
    forget, candidate = g.split(g.linear(seen, layer.inner), [layer.num_states] * 2, 2)
    decay = g("Sigmoid", forget)
    fresh = g("Sub", candidate, g("Mul", decay, candidate))
    states, last = _scan(g, decay, fresh, state.before(f"{name}_state", states_shape), layer)
    state.after(f"{name}_state", last, states_shape)
    gate = g.linear(seen, layer.gate)
    gated = g("Mul", states, g("Mul", gate, g("Sigmoid", gate)))
    return g("Add", frames, g.linear(gated, layer.outer))


def _scan(g: Graph, decay: str, fresh: str, first: str | np.ndarray, layer: GatedRecurrence) -> tuple[str, str]:
    """h = decay h + fresh, step by step, (L, K, H), and the last h; the last channels go backwards."""
    sizes = [size for size in (layer.num_states - layer.num_backwards, layer.num_backwards) if size]
    ways = range(len(sizes))
    body = Graph(prefix="step_")
    shapes = [("bands", size) for size in sizes]
    before = [body.input(f"step_before{i}", shapes[i]) for i in ways]
    share = [body.input(f"step_decay{i}", shapes[i]) for i in ways]
    new = [body.input(f"step_fresh{i}", shapes[i]) for i in ways]
    after = [body("Add", body("Mul", before[i], share[i]), new[i]) for i in ways]
    for kind in ("step_after", "step_state"):
        for i in ways:
            body.output(f"{kind}{i}", after[i], shapes[i])
    if len(sizes) == 1:
        firsts, scanned = [first], [decay, fresh]
    else:
        firsts = np.split(first, [sizes[0]], 1)
        scanned = [*g.split(decay, sizes, 2), *g.split(fresh, sizes, 2)]
    directions = [0, 1][: len(sizes)]
    lasts_states = g.several(
        2 * len(sizes),
        "Scan",
        *firsts,
        *scanned,
        body=body,
        num_scan_inputs=len(scanned),
        scan_input_directions=directions * 2,
        scan_output_directions=directions,
    )
    states = lasts_states[len(sizes) :]
    return (states[0] if len(states) == 1 else g.join(*states, axis=2)), lasts_states[0]


def _gru_or_lstm(g: Graph, layer: TorchRecurrence, frames: str, num_bands: int, state: State, name: str) -> str:
    inner = layer.inner
    ways, hidden = 1 + inner.bidirectional, inner.hidden_size
    # ONNX has its gates in another order than torch.
    order = (1, 0, 2) if isinstance(inner, nn.GRU) else (0, 3, 1, 2)
    kinds = ("state",) if isinstance(inner, nn.GRU) else ("state", "cell")
    special = {"linear_before_reset": 1} if isinstance(inner, nn.GRU) else {}

    def stacked(kind: str) -> Tensor:
        names = [f"{kind}_l0", f"{kind}_l0_reverse"][:ways]
        return np.stack([_reordered(getattr(inner, one), order) for one in names])

    biases = np.concatenate([stacked("bias_ih"), stacked("bias_hh")], 1)
    shape = (ways, num_bands, hidden)
    firsts = [state.before(f"{name}_{kind}", shape) for kind in kinds]
    states, *lasts = g.several(
        1 + len(kinds),
        type(inner).__name__,
        g.norm(frames, layer.norm),
        stacked("weight_ih"),
        stacked("weight_hh"),
        biases,
        "",
        *firsts,
        hidden_size=hidden,
        direction="bidirectional" if inner.bidirectional else "forward",
        **special,
    )
    for kind, last in zip(kinds, lasts, strict=True):
        state.after(f"{name}_{kind}", last, shape)
    states = g("Reshape", g("Transpose", states, perm=(0, 2, 1, 3)), (-1, num_bands, ways * hidden))
    return g("Add", frames, g.linear(states, layer.outer))


def _reordered(parameter: Tensor, order: tuple[int, ...]) -> np.ndarray:
    gates = parameter.detach().cpu().float().chunk(len(order))
    return np.concatenate([gates[index].numpy() for index in order])
