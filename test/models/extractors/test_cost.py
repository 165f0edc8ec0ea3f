"""What the full-size network keeps in memory beside the one that is written down line by line."""

import pytest
import torch
from support.plain_spex_plus import PlainSpexPlus
from support.same_weights import copy_weights
from torch import Tensor, nn

from zspex_toolkit.models.extractors.spex_plus import SpexPlus

NUM_SAMPLES = 16000  # 2 s


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    plain, network = PlainSpexPlus(101), SpexPlus(101)
    copy_weights(plain, network)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield plain, network
    torch.set_num_threads(threads)


def output_of(network: nn.Module, mixture: Tensor, enrollment: Tensor) -> tuple[Tensor, Tensor]:
    """Estimates and speaker scores."""
    if isinstance(network, PlainSpexPlus):
        return network(mixture, enrollment)[:2]
    return network(mixture, network.clue(enrollment))[:2]


def train_once(network: nn.Module, mixture: Tensor, enrollment: Tensor) -> dict[str, Tensor]:
    network.zero_grad(set_to_none=True)
    estimates, scores = output_of(network, mixture, enrollment)
    (estimates.square().mean() + scores.logsumexp(1).mean()).backward()
    return {name: parameter.grad for name, parameter in network.named_parameters()}


def kept_bytes(network: nn.Module, mixture: Tensor, enrollment: Tensor) -> int:
    """Memory that the forward pass keeps for the backward pass, the parameters among it."""
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = output_of(network, mixture, enrollment)  # alive: no storage is counted in the place of another
    assert len(output) == 2
    return sum(sizes.values())


@pytest.mark.slow
def test_training_keeps_less_than_half(networks):
    plain, network = networks
    mixture, enrollment = 0.1 * torch.randn(2, NUM_SAMPLES), 0.1 * torch.randn(2, NUM_SAMPLES)
    plain.train(), network.train()
    assert kept_bytes(plain, mixture, enrollment) > 2 * kept_bytes(network, mixture, enrollment)


def test_all_gradients_are_those_of_the_plain_network():
    torch.manual_seed(0)
    sizes = {"num_filters": 8, "bottleneck": 6, "hidden": 12, "num_blocks": 3, "num_stacks": 2, "embedding_dim": 5}
    plain, network, expected = PlainSpexPlus(4, **sizes), *(SpexPlus(4, speaker_hidden=12, **sizes) for _ in range(2))
    copy_weights(plain, network)
    mixture, enrollment = torch.randn(2, 403), torch.randn(2, 600)
    for name, gradient in train_once(plain, mixture, enrollment).items():
        plain.get_parameter(name).data = gradient
    copy_weights(plain, expected)  # the gradients, under the names of the package
    for name, gradient in train_once(network, mixture, enrollment).items():
        theirs = expected.get_parameter(name).data
        assert (gradient - theirs).norm() < 1e-4 * theirs.norm(), name
