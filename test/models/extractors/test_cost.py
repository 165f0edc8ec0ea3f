"""What the full-size network costs beside the one that is written down line by line, both measured in one run."""

import time

import pytest
import torch
from plain_spex_plus import PlainSpexPlus
from same_weights import copy_weights
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


def cpu_seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turn(*works, rounds: int = 3) -> list[float]:
    """Shortest CPU time of each, after a round that does not count."""
    times = [[cpu_seconds(work) for work in works] for _ in range(rounds + 1)][1:]
    return [min(column) for column in zip(*times, strict=True)]


def output_of(network: nn.Module, mixture: Tensor, enrollment: Tensor) -> tuple[Tensor, Tensor]:
    """Estimates and speaker scores."""
    if isinstance(network, PlainSpexPlus):
        return network(mixture, enrollment)[:2]
    return network(mixture, network.clue(enrollment))


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
def test_extraction_is_at_least_1_7_times_as_quick_at_equal_output(networks):
    plain, network = networks
    mixture, enrollment = 0.1 * torch.randn(1, NUM_SAMPLES), 0.1 * torch.randn(1, NUM_SAMPLES)
    plain.eval(), network.eval()
    with torch.inference_mode():
        expected = plain(mixture, enrollment)[0][:, 0]
        tolerance = 1e-4 * float(expected.abs().max())
        actual = network.extract(mixture, network.clue(enrollment))
        torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)
        slow, fast = in_turn(
            lambda: plain(mixture, enrollment), lambda: network.extract(mixture, network.clue(enrollment))
        )
    assert slow > 1.7 * fast  # 2.6 on an idle machine


@pytest.mark.slow
def test_training_is_at_least_1_4_times_as_quick_and_keeps_less_than_a_quarter(networks):
    plain, network = networks
    mixture, enrollment = 0.1 * torch.randn(2, NUM_SAMPLES), 0.1 * torch.randn(2, NUM_SAMPLES)
    plain.train(), network.train()
    assert kept_bytes(plain, mixture, enrollment) > 4 * kept_bytes(network, mixture, enrollment)
    slow, fast = in_turn(
        lambda: train_once(plain, mixture, enrollment), lambda: train_once(network, mixture, enrollment), rounds=1
    )
    assert slow > 1.4 * fast  # 2.2 on an idle machine


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
