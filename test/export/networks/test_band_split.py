"""The graphs of a band-split network give what the network gives, whole and block by block."""

import itertools

import numpy as np
import pytest
import torch

from zspex_toolkit.export.networks.band_split import graphs
from zspex_toolkit.models.extractors.band_split import SMALL, BandSplitExtractor
from zspex_toolkit.models.time_frequency_extractor import CONDITIONINGS
from zspex_toolkit.nn.time_frequency.block import RECURRENCES

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
KINDS = [*itertools.product(RECURRENCES, CONDITIONINGS, (False, True))]
CAUSAL = [kind[:2] for kind in KINDS if kind[2]]


def make_network(recurrence, conditioning, causal, **options):
    torch.manual_seed(0)
    options = SMALL["both"] | {"recurrence": recurrence, "conditioning": conditioning, "causal": causal} | options
    network = BandSplitExtractor(3, fs=8000, **options).eval().requires_grad_(False)
    for parameter in network.parameters():  # untrained, its masks would be about one
        parameter += 0.3 * torch.randn(parameter.shape) / max(1, parameter[0].numel()) ** 0.5
    return network


def sessions(network):
    return {
        name: onnxruntime.InferenceSession(graph.model().SerializeToString()) for name, graph in graphs(network).items()
    }


def noise(num_samples, seed):
    return 0.1 * torch.randn(1, num_samples, generator=torch.Generator().manual_seed(seed))


def clue_by(session, enrollment):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"enrollment": enrollment.numpy()}), strict=True))


def zero_state(session):
    return {x.name: np.zeros(x.shape, np.float32) for x in session.get_inputs() if x.name.startswith("state_")}


def stream_by(session, mixture, clue, sizes):
    """Blocks of ``sizes`` samples in turn through the stream, and the state at the end."""
    state, pieces, begin = zero_state(session), [], 0
    for size in itertools.cycle(sizes):
        if begin + size > mixture.shape[1]:
            return np.concatenate(pieces, 1), state
        samples = mixture[:, begin : begin + size].numpy()
        piece, *after = session.run(None, {"samples": samples, **clue, **state})
        state, begin = dict(zip(state, after, strict=True)), begin + size
        pieces.append(piece)


def assert_near(got, expected):
    assert got.shape == tuple(expected.shape)
    assert np.abs(got - expected.numpy()).max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize(("recurrence", "conditioning", "causal"), KINDS)
def test_the_clue_and_the_target_of_any_length_are_the_networks(recurrence, conditioning, causal):
    network = make_network(recurrence, conditioning, causal)
    made, enrollment = sessions(network), noise(5003, 1)
    expected, clue = network.clue(enrollment), clue_by(made["enroll"], enrollment)
    assert set(clue) == {"pooled": {"embedding"}, "frames": {"frames"}, "both": {"embedding", "frames"}}[conditioning]
    for name, value in clue.items():
        assert_near(value, getattr(expected, name))
    for num_samples in (1, 127, 128, 129, 256, 4001):
        mixture = noise(num_samples, 2)
        got = made["extract"].run(None, {"mixture": mixture.numpy(), **clue})[0]
        assert_near(got, network.extract(mixture, expected))


@pytest.mark.parametrize(("recurrence", "conditioning"), CAUSAL)
def test_blocks_of_any_sizes_give_the_networks_stream_and_its_whole_output(recurrence, conditioning):
    network = make_network(recurrence, conditioning, True)
    made, enrollment, hop = sessions(network), noise(3000, 1), network.spectrum.hop
    delay = network.spectrum.window - hop
    mixture, clue = noise(40 * hop, 2), network.clue(enrollment)
    whole = network.extract(mixture, clue)
    stream = network.stream(clue)
    pushed = torch.cat([stream.push(mixture[:, :1000]), stream.push(mixture[:, 1000:])], 1)
    for sizes in ((hop,), (hop, 5 * hop, 2 * hop), (40 * hop,)):
        late, _ = stream_by(made["stream"], mixture, clue_by(made["enroll"], enrollment), sizes)
        got = late[:, delay:]
        assert_near(got, whole[:, : got.shape[1]])
        assert_near(got, pushed[:, : got.shape[1]])


@pytest.mark.parametrize("hop_ms", [16, 8, 4])
def test_windows_of_more_hops_are_added_up_as_well(hop_ms):
    network = make_network("sru", "both", True, hop_ms=hop_ms)
    made, enrollment, hop = sessions(network), noise(3000, 1), network.spectrum.hop
    mixture, clue = noise(24 * hop, 2), network.clue(enrollment)
    whole = network.extract(mixture, clue)
    inputs = clue_by(made["enroll"], enrollment)
    assert_near(made["extract"].run(None, {"mixture": mixture.numpy(), **inputs})[0], whole)
    late, _ = stream_by(made["stream"], mixture, inputs, (hop, 3 * hop))
    assert_near(late[:, network.spectrum.window - hop :], whole[:, : late.shape[1] - network.spectrum.window + hop])


@pytest.mark.parametrize("gain", [1e-3, 1e3])
def test_quiet_and_loud_mixtures_are_the_networks(gain):
    network = make_network("sru", "both", False)
    made, enrollment, mixture = sessions(network), noise(3000, 1), gain * noise(3000, 2)
    got = made["extract"].run(None, {"mixture": mixture.numpy(), **clue_by(made["enroll"], enrollment)})[0]
    assert_near(got, network.extract(mixture, network.clue(enrollment)))


def test_silence_stays_silence():
    made = sessions(make_network("sru", "both", False))
    clue = clue_by(made["enroll"], noise(3000, 1))
    assert not made["extract"].run(None, {"mixture": np.zeros((1, 1000), np.float32), **clue})[0].any()


def test_the_state_has_the_same_size_however_long_the_stream():
    network = make_network("lstm", "both", True)
    made, hop = sessions(network), network.spectrum.hop
    session, clue = made["stream"], clue_by(made["enroll"], noise(3000, 1))
    _, state = stream_by(session, noise(30 * hop, 2), clue, (hop,))
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in zero_state(session).items()
    }
    outputs = [output.name for output in session.get_outputs()]
    assert outputs == ["target", *(name.replace("state", "next", 1) for name in state)]


def test_only_a_causal_network_has_a_stream_and_its_facts_tell_the_delay():
    assert set(graphs(make_network("sru", "both", False))) == {"enroll", "extract"}
    network = make_network("sru", "both", True)
    facts = graphs(network)["stream"].facts
    assert facts == {"hop": 128, "window": 256, "causal": "true", "delay_samples": 128, "latency_samples": 255}
