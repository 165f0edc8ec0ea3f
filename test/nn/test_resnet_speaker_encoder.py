"""The speaker encoder pools true frames only."""

import pytest
import torch
from torch.nn import functional

from zspex_toolkit.nn.resnet_speaker_encoder import ResNetBlock, ResNetSpeakerEncoder


def encoder():
    torch.manual_seed(0)
    return ResNetSpeakerEncoder(4, 6, 5)


def test_the_published_size_is_counted_by_hand():
    def block(before, after):
        skip = before * after if before != after else 0
        return before * after + after * after + skip + 2 * 2 * after + 2

    expected = block(256, 256) + block(256, 512) + block(512, 512) + 512 * 256 + 256
    assert sum(p.numel() for p in ResNetSpeakerEncoder(256, 512, 256).parameters()) == expected


def test_a_block_is_its_layers_in_their_order():
    block, frames = ResNetBlock(4, 6).eval(), torch.randn(2, 4, 10)
    torch.nn.init.normal_(block.norm1.running_mean)
    hidden = block.activation1(block.norm1(block.conv1(frames)))
    summed = block.norm2(block.conv2(hidden)) + functional.conv1d(frames, block.skip.weight)
    pooled = block.activation2(summed)[:, :, :9].unflatten(2, (3, 3)).amax(3)
    torch.testing.assert_close(block(frames, None), pooled)


@pytest.mark.parametrize("num_frames", [27, 28, 53, 54])
def test_padding_changes_nothing(num_frames):
    network, frames = encoder().eval(), torch.randn(1, 4, 90)
    alone = network(frames[:, :, :num_frames])
    frames[:, :, num_frames:] = 1e3
    torch.testing.assert_close(network(frames, torch.tensor([num_frames])), alone)


def test_padding_changes_nothing_in_training_either():
    frames = torch.randn(2, 4, 60)
    wide = functional.pad(frames, (0, 40), value=1e3)
    lengths = torch.tensor([60, 31])
    torch.testing.assert_close(encoder().train()(wide, lengths), encoder().train()(frames, lengths))


def test_27_frames_are_the_fewest():
    network = encoder().eval()
    assert network.min_frames == 27
    assert torch.isfinite(network(torch.randn(1, 4, 27))).all()
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 4, 26))
