"""The speaker encoder pools true frames only."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from zspex_toolkit.nn.multi_scale.resnet_speaker_encoder import MaskedBatchNorm, ResNetBlock, ResNetSpeakerEncoder


def encoder():
    torch.manual_seed(0)
    return ResNetSpeakerEncoder(4, 6, 5)


def with_random_vectors(block, slope):
    for values in (*block.parameters(), block.norm1.running_mean, block.norm2.running_mean):
        if values.dim() == 1:
            nn.init.normal_(values)
    for activation in (block.activation1, block.activation2):
        nn.init.constant_(activation.weight, slope)
    return block


def layer_by_layer(block, frames, lengths):
    """Pooled frames of each utterance, by torch's own layers, with the true frames of all behind one another."""
    true = torch.cat([utterance[:length] for utterance, length in zip(frames, lengths, strict=True)])  # (L + L', C)
    hidden = nn.BatchNorm1d.forward(block.norm1, functional.linear(true, block.conv1.weight[:, :, 0]))
    hidden = functional.linear(functional.prelu(hidden, block.activation1.weight), block.conv2.weight[:, :, 0])
    skipped = true if isinstance(block.skip, nn.Identity) else functional.linear(true, block.skip.weight[:, :, 0])
    summed = nn.BatchNorm1d.forward(block.norm2, hidden) + skipped
    rectified = functional.prelu(summed, block.activation2.weight).split(lengths)
    return [functional.max_pool1d(utterance.t(), 3).t() for utterance in rectified]


def test_the_published_size_is_counted_by_hand():
    def block(before, after):
        skip = before * after if before != after else 0
        return before * after + after * after + skip + 2 * 2 * after + 2

    expected = block(256, 256) + block(256, 512) + block(512, 512) + 512 * 256 + 256
    assert sum(p.numel() for p in ResNetSpeakerEncoder(256, 512, 256).parameters()) == expected


@pytest.mark.parametrize("in_channels", [4, 6])
@pytest.mark.parametrize("lengths", [[20, 20], [20, 7]])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("slope", [0.25, -0.5])
def test_a_block_its_gradients_and_statistics_are_those_of_its_layers(in_channels, lengths, training, slope):
    torch.manual_seed(0)
    block = with_random_vectors(ResNetBlock(in_channels, 6), slope).train(training)
    plain = copy.deepcopy(block)
    frames = torch.randn(2, 20, in_channels, requires_grad=True)
    expected = layer_by_layer(plain, frames, lengths)
    pooled = block(frames, None if lengths == [20, 20] else torch.tensor(lengths))
    assert pooled.shape == (2, 6, 6)
    actual = [utterance[: len(other)] for utterance, other in zip(pooled, expected, strict=True)]
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(block.state_dict(), plain.state_dict())
    probes = [torch.randn_like(utterance) for utterance in expected]
    torch.testing.assert_close(
        torch.autograd.grad(actual, (frames, *block.parameters()), probes),
        torch.autograd.grad(expected, (frames, *plain.parameters()), probes),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("num_frames", [27, 28, 53, 54])
def test_padding_changes_nothing(num_frames):
    network, frames = encoder().eval(), torch.randn(1, 90, 4)
    alone = network(frames[:, :num_frames])
    frames[:, num_frames:] = 1e3
    torch.testing.assert_close(network(frames, torch.tensor([num_frames])), alone)


def test_27_frames_are_the_fewest():
    network = encoder().eval()
    assert network.min_frames == 27
    assert torch.isfinite(network(torch.randn(1, 27, 4))).all()
    with pytest.raises(AssertionError, match="too few frames"):
        network(torch.randn(1, 26, 4))


def test_half_precision_is_counted_in_single():
    frames = (100 + torch.randn(2, 500, 3)).bfloat16()
    true = torch.arange(500)[:, None] < torch.tensor([500, 400])[:, None, None]  # (B, L, 1)
    with torch.autocast("cpu", torch.bfloat16):
        out = MaskedBatchNorm(3)(frames, true)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), MaskedBatchNorm(3)(frames.float(), true), rtol=1e-2, atol=1e-2)
