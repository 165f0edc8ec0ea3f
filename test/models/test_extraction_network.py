"""What SpEx+ and Z-SpEx share of their ways: enrollments that are too short, and the seam between the branches."""

import contextlib

import pytest
import torch

from zspex_toolkit.errors import AudioError
from zspex_toolkit.models.extractors.zspex import ZSpex

SMALL = {"num_filters": 6, "kernel_sizes": (4, 8, 12), "stride": 2, "bottleneck": 5, "hidden": 8, "num_blocks": 2}


def network(**options):
    torch.manual_seed(0)
    return ZSpex(3, num_stacks=2, embedding_dim=4, speaker_hidden=7, **SMALL, **options).eval()


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
