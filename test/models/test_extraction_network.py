"""What SpEx+ and Z-SpEx share: enrollments that are too short, the seam between the branches, and streams."""

import contextlib

import pytest
import torch

from zspex_toolkit.errors import AudioError, UserError
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.extractors.spex_plus import SpexPlus
from zspex_toolkit.models.extractors.zspex import ZSpex

SMALL = {
    **{"num_filters": 6, "kernel_sizes": (4, 8, 12), "stride": 2, "bottleneck": 5, "hidden": 8, "num_blocks": 2},
    **{"num_stacks": 2, "embedding_dim": 4, "speaker_hidden": 7},
}


def network(**options):
    torch.manual_seed(0)
    return ZSpex(3, **SMALL, **options).eval()


def test_the_shortest_enrollment_is_27_frames():
    assert network().min_enrollment_samples == 4 + 26 * 2
    assert torch.isfinite(network().clue(torch.randn(1, 56)).embedding).all()
    with pytest.raises(AudioError, match="enrollment: expected at least 56 samples, found 55; record more"):
        network().clue(torch.randn(1, 55))


def test_a_short_enrollment_in_a_long_batch_is_found():
    with pytest.raises(AudioError, match="at least 56 samples, found 30"):
        network().clue(torch.randn(2, 100), torch.tensor([100, 30]))


def test_a_length_over_the_enrollment_is_found():
    with pytest.raises(AudioError, match="enrollment: expected lengths up to the 100 samples that it has, found 130"):
        network().clue(torch.randn(2, 100), torch.tensor([60, 130]))


@pytest.fixture
def gradients():
    """A function of a context for the forward and one for the backward pass to all gradients."""
    trained = network().train()
    mixture, enrollment, lengths = torch.randn(2, 300), torch.randn(2, 400), torch.tensor([400, 300])

    def compute(forward=contextlib.nullcontext, backward=contextlib.nullcontext):
        with forward():
            clue = trained.clue(enrollment, lengths)
            loss = trained(mixture, clue).estimates.square().sum() + clue.embedding.square().sum()
        with backward():
            return torch.autograd.grad(loss, [*trained.parameters()], allow_unused=True)

    return compute


@contextlib.contextmanager
def double_precision_by_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def meta_by_default():
    return torch.device("meta")


def half_precision():
    return torch.autocast("cpu", torch.bfloat16)


def assert_equal(actual, expected):
    assert [one is None for one in actual] == [one is None for one in expected]
    for one, other in zip(actual, expected, strict=True):
        assert one is None or torch.equal(one, other)


@pytest.mark.parametrize("default", [double_precision_by_default, meta_by_default])
@pytest.mark.parametrize("forward", [contextlib.nullcontext, half_precision])
def test_torchs_defaults_change_nothing(gradients, default, forward):
    @contextlib.contextmanager
    def both():
        with default(), forward():
            yield

    assert_equal(gradients(both, default), gradients(forward))


def test_only_the_mixture_is_normalised_behind_the_fuser():
    with_norm, without = network(conditioning="concat"), network(conditioning="concat", norm=False)
    without.load_state_dict(with_norm.state_dict(), strict=False)
    enrollment, mixture = torch.randn(1, 80), torch.randn(1, 50)
    clue = with_norm.clue(enrollment)
    assert torch.equal(clue.embedding, without.clue(enrollment).embedding)
    assert not torch.allclose(with_norm.extract(mixture, clue), without.extract(mixture, clue), atol=1e-4)


def test_a_shared_fuser_hears_both_branches():
    shared = network()
    shared.clue(torch.randn(1, 80)).embedding.sum().backward()
    assert shared.fuser.fuse.project.weight.grad is not None
    own = network(shared_fuser=False)
    own.clue(torch.randn(1, 80)).embedding.sum().backward()
    assert own.fuser.fuse.project.weight.grad is None


def test_behind_the_last_whole_frame_the_short_scale_is_zero():
    net = network()
    output = net.extract(torch.randn(1, 51), net.clue(torch.randn(1, 80)))  # frames end at 4, 6, ..., 50
    assert output[0, 49] != 0 and output[0, 50] == 0


NETWORKS = {"spex_plus": SpexPlus, "zspex": ZSpex}


def causal_network(name, **options):
    torch.manual_seed(0)
    sizes = {**SMALL, "num_filters": 8, "kernel_sizes": (4, 8, 14), "bottleneck": 6, "hidden": 12, "num_blocks": 3}
    sizes |= {"embedding_dim": 5, "causal": True, **options}
    network = NETWORKS[name](3, **sizes).eval()
    for parameter in network.parameters():  # gains of 1 and shifts of 0 would hide a part that is left out
        torch.nn.init.normal_(parameter, parameter.detach().mean(), 0.3)
    return network


def streamed(stream, mixture, sizes):
    return torch.cat([stream.push(chunk) for chunk in mixture.split(sizes, 1)] + [stream.finish()], 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NETWORKS))
@torch.no_grad()
def test_the_full_size_streams_to_one_in_a_hundred_thousand(name):
    torch.manual_seed(0)
    network = NETWORKS[name](5, causal=True).eval()
    mixture, clue = torch.randn(1, 16000), network.clue(torch.randn(1, 8000))
    offline = network.extract(mixture, clue)
    output = streamed(network.stream(clue), mixture, 997)
    torch.testing.assert_close(output, offline, rtol=0, atol=1e-5 * float(offline.abs().max()))


@pytest.mark.parametrize("name", sorted(NETWORKS))
@torch.no_grad()
def test_a_sample_comes_out_with_the_one_that_is_the_latency_behind_it(name):
    network = causal_network(name)
    assert network.latency_samples == 3
    mixture, clue = torch.randn(1, 60), network.clue(torch.randn(1, 100))
    stream = network.stream(clue)
    arrived = torch.tensor([stream.push(chunk).shape[1] for chunk in mixture.split(1, 1)]).cumsum(0)
    assert all(int(out) >= received - 3 for received, out in enumerate(arrived, start=1))
    changed = mixture.clone()
    changed[:, 40:] += 1
    difference = (network.extract(changed, clue) - network.extract(mixture, clue))[0]
    assert difference[:37].abs().max() == 0 and difference[37:40].abs().max() > 0 and difference[40:].abs().max() > 0


@torch.no_grad()
def test_what_is_kept_does_not_grow():
    network = causal_network("zspex")
    stream = network.stream(network.clue(torch.randn(1, 100)))

    def kept():
        past = [value[0] if isinstance(value, tuple) else value for value in stream._memory.values()]
        return sum(value.numel() for value in past) + stream._encoder._pending.numel() + stream._decoder._tail.numel()

    sizes = []
    for _ in range(4):
        stream.push(torch.randn(1, 200))
        sizes.append(kept())
    assert len(set(sizes)) == 1


@torch.no_grad()
def test_a_stream_without_a_sample_is_empty():
    network = causal_network("spex_plus")
    stream = network.stream(network.clue(torch.randn(2, 100)))
    assert stream.push(torch.zeros(2, 0)).shape == stream.finish().shape == (2, 0)


def test_a_network_that_needs_all_does_not_stream():
    network = causal_network("zspex", causal=False)
    with pytest.raises(UserError, match="expected a causal network"):
        network.stream(Clue(torch.zeros(1, 5)))
