"""A stream gives what the whole mixture gives in full size, too, as soon as it can, in constant memory."""

import pytest
import torch

from zspex_toolkit.errors import UserError
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.extractors.spex_plus import SpexPlus
from zspex_toolkit.models.extractors.zspex import ZSpex

SMALL = {"num_filters": 8, "kernel_sizes": (4, 8, 14), "stride": 2, "bottleneck": 6, "hidden": 12, "num_blocks": 3}
NETWORKS = {"spex_plus": SpexPlus, "zspex": ZSpex}


def causal_network(name, **options):
    torch.manual_seed(0)
    sizes = {**SMALL, "num_stacks": 2, "embedding_dim": 5, "speaker_hidden": 7, "causal": True, **options}
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
