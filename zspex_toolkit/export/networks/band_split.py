"""The band-split network as ONNX graphs of one mixture and one speaker.

Nothing is complex there: spectra are real matrices times frames, their bins (real, imaginary). The batch is left out
inside: frames are (L, K, N), or (L, K N).
"""

from __future__ import annotations

import math

import numpy as np

from zspex_toolkit.export.graph import Graph
from zspex_toolkit.export.networks._blocks import State, add_block
from zspex_toolkit.models.extractors.band_split import BandSplitExtractor
from zspex_toolkit.nn.time_frequency.spectrum import Spectrum

__all__ = ["graphs"]


def graphs(network: BandSplitExtractor) -> dict[str, Graph]:
    """``enroll``: enrollment (1, U) to the clue; ``extract``: mixture (1, T) and clue to the target (1, T).

    Of a causal network ``stream``, too: the next samples (1, n hop), the clue and all of the state to the next samples
    of the target and the next state. The target comes window - hop samples late; the first state is zeros.
    """
    made = {"enroll": _enroll(network), "extract": _extract(network)}
    if network.causal:
        made["stream"] = _stream(network)
    for name, graph in made.items():
        graph.facts |= _facts(network, name)
    return made


def _facts(network: BandSplitExtractor, form: str) -> dict[str, int | str]:
    spectrum = network.spectrum
    facts = {"hop": spectrum.hop, "window": spectrum.window, "causal": str(network.causal).lower()}
    if form == "stream":
        facts |= {"delay_samples": spectrum.window - spectrum.hop, "latency_samples": network.latency_samples}
    return facts


def _enroll(network: BandSplitExtractor) -> Graph:
    g = Graph()
    enrollment = g.input("enrollment", (1, "enrollment_samples"))
    spectra, _ = _spectra(g, network.spectrum, _padded(g, network.spectrum, enrollment))
    frames = _features(g, network, spectra, _level(g, enrollment))
    for index, block in enumerate(network.blocks[: network.enrollment_blocks]):
        frames = add_block(g, block, frames, State(g, False), index)
    if network.scalings is not None:
        g.output("embedding", _embedding(g, network, frames), _embedding_shape(network))
    if network.attention is not None:
        flat = g.norm(_flat(g, frames, network), network.attention.memory_norm)
        remembered = g("Unsqueeze", g("Transpose", g.linear(flat, network.attention.memory), perm=(1, 0)), (0,))
        g.output("frames", remembered, _frames_shape(network))
    return g


def _extract(network: BandSplitExtractor) -> Graph:
    g, past = Graph(), network.spectrum.window - network.spectrum.hop
    mixture = g.input("mixture", (1, "samples"))
    clue = _clue_inputs(g, network)
    spectra, hops = _spectra(g, network.spectrum, _padded(g, network.spectrum, mixture))
    state = State(g, False)
    level = _running_level(g, network, hops, state) if network.causal else _level(g, mixture)
    frames = _overlap_add(g, network.spectrum, _masked(g, network, spectra, level, clue, state))
    end = g("Add", g.size(mixture, 1), (past,))
    g.output("target", g.part(g.reshape(frames, 1, -1), (past,), end, 1), (1, "samples"))
    return g


def _stream(network: BandSplitExtractor) -> Graph:
    g, spectrum = Graph(), network.spectrum
    hop, past = spectrum.hop, spectrum.window - spectrum.hop
    samples = g.input("samples", (1, "samples"))
    clue, state = _clue_inputs(g, network), State(g, True)
    known = g.join(state.before("samples", (1, past)), samples, axis=1)
    spectra, hops = _spectra(g, spectrum, known)
    frames = _masked(g, network, spectra, _running_level(g, network, hops, state), clue, state)
    summed = _overlap_add(g, spectrum, frames)  # (L + W / hop - 1, hop)
    tail = g.reshape(state.before("tail", (1, past)), -1, hop)
    summed = g("Add", summed, g("Pad", tail, g.join((0, 0), g.size(frames, 0), (0,), axis=0)))
    g.output("target", g.reshape(g.part(summed, (0,), g.size(frames, 0), 0), 1, -1), (1, "samples"))
    state.after("samples", g.part(known, (-past,), None, 1), (1, past))
    state.after("tail", g.reshape(g.part(summed, g.size(frames, 0), None, 0), 1, past), (1, past))
    states = (name.replace("state", "next", 1) for name in g.inputs if name.startswith("state_"))
    g.outputs = {name: g.outputs[name] for name in ("target", *states)}  # in the order of the inputs
    return g


def _embedding_shape(network: BandSplitExtractor) -> tuple:
    return (1, network.pooling.project.out_features)


def _frames_shape(network: BandSplitExtractor) -> tuple:
    return (1, network.attention.memory.out_features, "enrollment_frames")


def _clue_inputs(g: Graph, network: BandSplitExtractor) -> dict[str, str]:
    clue = {}
    if network.scalings is not None:
        clue["embedding"] = g.input("embedding", _embedding_shape(network))
    if network.attention is not None:
        clue["frames"] = g.input("frames", _frames_shape(network))
    return clue


def _padded(g: Graph, spectrum: Spectrum, signal: str) -> str:
    """(1, T) with the zeros around it that make whole frames."""
    past = spectrum.window - spectrum.hop
    size = g.size(signal, 1)
    length = g("Mul", g("Div", g("Add", size, (spectrum.window - 1,)), (spectrum.hop,)), (spectrum.hop,))
    return g("Pad", signal, g.join((0, past, 0), g("Sub", length, size), axis=0))


def _spectra(g: Graph, spectrum: Spectrum, signal: str) -> tuple[str, str]:
    """(1, L hop + W - hop) to spectra (L, F, 2), and its hops (L, hop) that are new."""
    window, hop = spectrum.window, spectrum.hop
    count = window // hop
    rows = g.reshape(signal, -1, hop)
    pieces = [g.part(rows, (i,), (i + 1 - count,) if i + 1 < count else None, 0) for i in range(count)]
    matrix = np.fft.rfft(np.diag(spectrum.shape.double().cpu().numpy()))  # (W, F)
    matrix = np.stack([matrix.real, matrix.imag], 2).reshape(window, -1)
    return g.reshape(g.exact_product(g.join(*pieces, axis=1), matrix), -1, spectrum.num_bins, 2), pieces[-1]


def _overlap_add(g: Graph, spectrum: Spectrum, spectra: str) -> str:
    """Spectra (L, 2 F) to the sum of their frames, (L + W / hop - 1, hop)."""
    window, hop = spectrum.window, spectrum.hop
    count = window // hop
    units = np.kron(np.eye(spectrum.num_bins), [[1], [1j]])  # (2 F, F)
    matrix = np.fft.irfft(units, window) * spectrum.shape.double().cpu().numpy() * (2 * hop / window)
    pieces = g.split(g.exact_product(spectra, matrix), [hop] * count, 1)
    return g("Sum", *(g("Pad", piece, (i, 0, count - 1 - i, 0)) for i, piece in enumerate(pieces)))


def _level(g: Graph, signal: str) -> str:
    """Root mean square of (1, T), (1, 1)."""
    return g("Sqrt", g("ReduceMean", g("Mul", signal, signal), (1,)))


def _running_level(g: Graph, network: BandSplitExtractor, hops: str, state: State) -> str:
    """Root mean square of all samples up to the end of each hop, (L, 1)."""
    energy = g("ReduceSum", g("Mul", hops, hops), (1,))  # (L, 1)
    ones = g("Add", g("Mul", energy, 0.0), 1.0)
    sums = g("CumSum", g.join(energy, ones, axis=1), 0)
    sums = g("Add", sums, state.before("energy", (1, 2)))  # up to each frame: energy, number of frames
    state.after("energy", g.part(sums, (-1,), None, 0), (1, 2))
    energy, count = g.split(sums, (1, 1), 1)
    return g("Sqrt", g("Div", energy, g("Mul", count, float(network.spectrum.hop))))


def _features(g: Graph, network: BandSplitExtractor, spectra: str, level: str) -> str:
    """As ``spectrum.features`` and ``BandSplit``: spectra (L, F, 2) to frames (L, K, N)."""
    parts = g("Div", spectra, g("Unsqueeze", g("Max", level, 1e-8), (2,)))
    power = g("Add", g("ReduceSum", g("Mul", parts, parts), (2,)), 1e-4)
    compressed = g("Mul", parts, g("Pow", power, -0.35))
    shown = g.join(compressed, g("Mul", g("Log", power), 0.2), axis=2)
    shown = g.reshape(shown, -1, 3 * network.spectrum.num_bins)
    bands = g.split(shown, [3 * width for width in network.split.widths], 1)
    frames = [g.linear(band, layer) for band, layer in zip(bands, network.split.layers, strict=True)]
    return _in_bands(g, g.join(*frames, axis=1), network)


def _masked(g: Graph, network: BandSplitExtractor, spectra: str, level: str, clue: dict[str, str], state: State) -> str:
    """Spectra (L, F, 2) times the masks of the speaker, (L, 2 F)."""
    frames = _features(g, network, spectra, level)
    for index, block in enumerate(network.blocks):
        if index == network.num_shared and network.attention is not None:
            frames = _attention(g, network, frames, clue["frames"])
        if index >= network.num_shared and network.scalings is not None:
            frames = _scaling(g, network, frames, clue["embedding"], index - network.num_shared)
        frames = add_block(g, block, frames, state, index)
    real, imaginary = g.split(spectra, (1, 1), 2)
    of_real, of_imaginary = g.split(_mask(g, network, frames), (1, 1), 2)
    product = g.join(
        g("Sub", g("Mul", real, of_real), g("Mul", imaginary, of_imaginary)),
        g("Add", g("Mul", real, of_imaginary), g("Mul", imaginary, of_real)),
        axis=2,
    )
    return g.reshape(product, -1, 2 * network.spectrum.num_bins)


def _mask(g: Graph, network: BandSplitExtractor, frames: str) -> str:
    """As ``BandMask`` with one mask: (L, K, N) to (L, F, 2)."""
    mask = network.mask
    bands = g.split(_flat(g, g.norm(frames, mask.norm), network), [mask.norm.normalized_shape[0]] * len(mask.inner), 1)
    masks = [
        g.linear(g("Tanh", g.linear(band, inner)), outer)
        for band, inner, outer in zip(bands, mask.inner, mask.outer, strict=True)
    ]
    return g.reshape(g.join(*masks, axis=1), -1, network.spectrum.num_bins, 2)


def _flat(g: Graph, frames: str, network: BandSplitExtractor) -> str:
    return g.reshape(frames, -1, network.blocks[0].bands.inner.in_features)


def _in_bands(g: Graph, frames: str, network: BandSplitExtractor) -> str:
    return g.reshape(frames, -1, len(network.split.widths), network.split.layers[0].out_features)


def _scaling(g: Graph, network: BandSplitExtractor, frames: str, embedding: str, index: int) -> str:
    """As ``SpeakerScaling``."""
    both = g.linear(embedding, network.scalings[index].project)
    size = network.scalings[index].project.out_features // 2
    scale, shift = (_in_bands(g, one, network) for one in g.split(both, (size, size), 1))
    return g("Add", shift, g("Mul", frames, g("Add", scale, 1.0)))


def _attention(g: Graph, network: BandSplitExtractor, frames: str, memory: str) -> str:
    """As ``FrameAttention``."""
    layer = network.attention
    heads, key_dim, value_dim = layer.num_heads, layer.key_dim, layer.out.in_features
    query = g.linear(g.norm(_flat(g, frames, network), layer.query_norm), layer.query)
    query = g("Transpose", g.reshape(query, -1, heads, key_dim // heads), perm=(1, 0, 2))
    keys, values = g.split(memory, (key_dim, value_dim), 1)
    keys = g.reshape(keys, heads, key_dim // heads, -1)
    values = g("Transpose", g.reshape(values, heads, value_dim // heads, -1), perm=(0, 2, 1))
    likeness = g("Mul", g("MatMul", query, keys), 1 / math.sqrt(key_dim // heads))
    found = g("Transpose", g("MatMul", g("Softmax", likeness, axis=-1), values), perm=(1, 0, 2))
    return g("Add", frames, _in_bands(g, g.linear(g.reshape(found, -1, value_dim), layer.out), network))


def _embedding(g: Graph, network: BandSplitExtractor, frames: str) -> str:
    """As ``BandPooling``: frames (U, K, N) to (1, D)."""
    pooling = network.pooling
    frames = g.norm(frames, pooling.norm)
    weights = g("Softmax", g.linear(frames, pooling.weigh), axis=0)

    def mean(value: str) -> str:
        return g("ReduceSum", g("Mul", weights, value), (0,), keepdims=0)

    first = mean(frames)
    spread = g("Sub", mean(g("Mul", frames, frames)), g("Mul", first, first))
    pooled = g.join(first, g("Sqrt", g("Max", spread, 1e-5)), axis=-1)
    return g.norm(g.linear(g.reshape(pooled, 1, -1), pooling.project), pooling.out_norm)
