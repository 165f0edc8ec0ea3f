"""What each file of models/recognisers/ must do; its SMALL has small options for this test."""

import pytest
import torch

from zspex_toolkit.registry import available, load, load_module

NAMES = available("models.recognisers")


def build(name, **options):
    torch.manual_seed(0)
    return load("models.recognisers", name)(11, fs=8000, **load_module("models.recognisers", name).SMALL | options)


def noise(num_samples, seed=0):
    return 0.1 * torch.randn(num_samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NAMES)
def test_each_frame_has_a_distribution_over_tokens(name):
    network = build(name).eval()
    found = network(noise(4000)[None], torch.tensor([4000]))
    torch.testing.assert_close(found.log_probs.exp().sum(-1), torch.ones(found.log_probs.shape[:2]))
    assert found.log_probs.shape[2] == 11
    assert found.num_frames.tolist() == [network.num_output_frames(4000)] == [found.log_probs.shape[1]]
    assert found.num_frames[0] == pytest.approx(0.5 / network.output_shift_s(), abs=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_samples", [80, 3000, 3999])
def test_padding_and_other_rows_change_nothing(name, num_samples):
    network = build(name).eval()
    long, short = noise(4000), noise(num_samples, seed=1)
    batch = torch.stack([long, torch.cat([short, noise(4000 - num_samples, seed=2)])])
    both = network(batch, torch.tensor([4000, num_samples]))
    alone = network(short[None], torch.tensor([num_samples]))
    assert alone.num_frames.tolist() == [network.num_output_frames(num_samples)] == both.num_frames[1:].tolist()
    count = int(alone.num_frames)
    torch.testing.assert_close(both.log_probs[1, :count], alone.log_probs[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_trained(name):
    network = build(name).train()
    found = network(noise(4000)[None], torch.tensor([4000]))
    found.log_probs[..., 1].sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []
