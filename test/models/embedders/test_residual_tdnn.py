"""The embedder has the paper's layers and treats every utterance as if it were alone."""

import pytest
import torch

from zspex_toolkit.models.embedders.residual_tdnn import (
    InputNorm,
    ResidualTdnn,
    ResidualTdnnBlock,
    TdnnLayer,
    pad_edges,
    statistics_pooling,
)
from zspex_toolkit.registry import available, load


def small(name: str = "residual_tdnn", **options):
    torch.manual_seed(0)
    return load("models.embedders", name)(4, channels=8, pooled_channels=12, embedding_dim=6, **options)


def test_the_published_size_is_counted_by_hand():
    norm = 2 * 512
    first = 3 * 20 * 512 + 512 + norm + 512 * 512 + 512 + norm
    block = 5 * 512 * 512 + 512 + norm + 512 * 512 + 512 + norm
    last = 512 * 1500 + 1500 + 2 * 1500
    segments = 3000 * 512 + 512 + norm + 512 * 512 + 512
    assert sum(p.numel() for p in ResidualTdnn(20).parameters()) == first + 3 * block + last + segments


def test_an_embedding_frame_sees_seven_frames_on_either_side():
    network = small().eval()
    assert network.context == 7
    feats = torch.randn(1, 40, 4, requires_grad=True)
    frames = feats.transpose(1, 2)
    for layer in [*network.first, *network.blocks, network.last]:
        frames = layer(frames)
    assert frames.shape[2] == 40 - 14
    frames[0, :, 10].sum().backward()
    seen = feats.grad[0].abs().sum(1).nonzero()[:, 0]
    assert (int(seen.min()), int(seen.max())) == (10, 24)


@pytest.mark.parametrize("name", available("models.embedders"))
@pytest.mark.parametrize("stride", [1, 3])
def test_a_padded_batch_gives_what_each_utterance_gives_alone(name, stride):
    network = small(name, stride=stride, first_context=2).eval()
    utterances = [torch.randn(length, 4) for length in (30, 1, 17)]
    batch = torch.nn.utils.rnn.pad_sequence(utterances, batch_first=True, padding_value=1e3)
    together = network(batch, torch.tensor([30, 1, 17]))
    alone = torch.cat([network(feats[None]) for feats in utterances])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", available("models.embedders"))
def test_a_unit_modulation_changes_nothing_and_another_does(name):
    network = small(name).eval()
    feats = torch.randn(2, 20, 4)
    unit = [(torch.ones(2, width), torch.zeros(2, width)) for width in network.modulated_channels]
    torch.testing.assert_close(network(feats, None, unit), network(feats))
    twice = [(2 * scale, shift) for scale, shift in unit]
    assert not torch.allclose(network(feats, None, twice), network(feats), atol=1e-3)


def test_a_stride_of_three_takes_a_third_of_the_steps_over_the_same_time():
    network = small(stride=3, first_context=2)
    frames = torch.randn(2, 4, 30 + 2 * network.context)
    for layer in [*network.first, *network.blocks]:
        frames = layer(frames)
    assert (network.context, frames.shape[2]) == (2 + 3 * 6, 10)


def test_a_normalised_input_forgets_level_and_scale_of_the_coefficients():
    plain, scaled = small(normalise_input=True).train(), small(normalise_input=True).train()
    feats = torch.randn(16, 20, 4)
    torch.testing.assert_close(plain(feats), scaled(100 * feats + 7), rtol=1e-3, atol=1e-3)


def test_edges_repeat_the_first_and_last_true_frame():
    feats = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 99.0]])[:, :, None]
    padded = pad_edges(feats, torch.tensor([3, 2]), 2)[:, :, 0]
    assert padded.tolist() == [[1, 1, 1, 2, 3, 3, 3], [4, 4, 4, 5, 5, 5, 5]]


def test_edges_without_lengths_are_those_of_full_utterances():
    feats = torch.randn(2, 5, 3)
    assert torch.equal(pad_edges(feats, None, 4), pad_edges(feats, torch.tensor([5, 5]), 4))


def test_a_layer_is_affine_then_relu_then_batch_norm():
    layer = TdnnLayer(1, 1, context=1).eval()
    with torch.no_grad():
        layer.affine.weight[:] = torch.tensor([[[1.0, 10.0, 100.0]]])
        layer.affine.bias[:] = -300.0
        layer.norm.running_mean[:] = 1.0
    frames = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    expected = (torch.tensor([321.0, 432.0]) - 300 - 1) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(layer(frames)[0, 0], expected)


def test_a_residual_block_adds_its_own_input_frame_for_frame():
    block = ResidualTdnnBlock(3).eval()
    for parameter in block.narrow.parameters():
        torch.nn.init.zeros_(parameter)
    frames = torch.randn(2, 3, 9)
    torch.testing.assert_close(block(frames), frames[:, :, 2:-2])


def test_a_constant_channel_has_a_finite_gradient():
    frames = torch.ones(1, 1, 5, requires_grad=True)
    statistics_pooling(frames).sum().backward()
    assert torch.isfinite(frames.grad).all()


def some_frames():
    torch.manual_seed(0)
    return torch.randn(8, 3, 50) * torch.tensor([1.0, 2.0, 4.0])[:, None] + torch.tensor([5.0, -3.0, 100.0])[:, None]


def test_coefficients_lose_their_mean_and_keep_their_proportions():
    out = InputNorm(3).train()(some_frames())
    assert out.mean((0, 2)).abs().max() < 1e-4
    assert abs(float(out.var((0, 2), unbiased=False).mean()) - 1) < 1e-4
    before, after = some_frames().std((0, 2)), out.std((0, 2))
    torch.testing.assert_close(after / after[0], before / before[0])


def test_evaluation_uses_what_training_saw():
    norm = InputNorm(3, momentum=1.0).train()
    expected = norm(some_frames())
    torch.testing.assert_close(norm.eval()(some_frames()), expected)
    assert not torch.allclose(norm(some_frames() + 1), expected)
