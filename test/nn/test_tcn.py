"""TCN blocks do what their description says, layer by layer, and see no farther than they say."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.tcn import SpeakerTcn, TcnBlock


def block(**options):
    torch.manual_seed(0)
    return TcnBlock(4, 6, **options)


def seen_frames(function, num_frames, at):
    """First and last frame of the input that frame ``at`` of the output depends on by convolutions alone."""
    frames = torch.randn(1, 4, num_frames, requires_grad=True)
    function(frames)[0, :, at].sum().backward()
    seen = frames.grad[0].abs().sum(0).nonzero()[:, 0]
    return int(seen.min()), int(seen.max())


def without_norms(module):
    for part in module.modules():
        for name in [name for name, _ in part.named_children()]:
            if name.startswith("norm"):
                setattr(part, name, Untouched())
    return module


class Untouched(nn.Module):
    def forward(self, frames, memory=None):
        return frames


@pytest.mark.parametrize("causal", [False, True])
def test_a_block_is_its_layers_in_their_order(causal):
    layer = block(dilation=2, embedding_dim=3, causal=causal)
    frames, embedding = torch.randn(2, 4, 9), torch.randn(2, 3)
    joined = torch.cat([frames, embedding[:, :, None].expand(-1, -1, 9)], 1)
    hidden = layer.norm1(layer.activation1(layer.expand(joined)))
    hidden = functional.pad(hidden, (4, 0) if causal else (2, 2))
    hidden = functional.conv1d(hidden, layer.depthwise.weight, layer.depthwise.bias, dilation=2, groups=6)
    expected = frames + layer.project(layer.norm2(layer.activation2(hidden)))
    torch.testing.assert_close(layer(frames, embedding), expected)


def test_a_block_has_the_published_parameters():
    counted = sum(p.numel() for p in TcnBlock(256, 512).parameters())
    assert counted == (256 * 512 + 512) + 2 * (1 + 2 * 512) + (3 * 512 + 512) + (512 * 256 + 256)
    assert sum(p.numel() for p in TcnBlock(256, 512, embedding_dim=256).parameters()) == counted + 256 * 512


def test_a_centred_network_sees_its_context_on_either_side():
    tcn = without_norms(SpeakerTcn(4, 6, 3, num_blocks=3, num_stacks=2))
    assert tcn.context == 2 * (1 + 2 + 4)
    assert seen_frames(lambda frames: tcn(frames, torch.ones(1, 3)), 60, 30) == (30 - 14, 30 + 14)


def test_a_causal_network_sees_the_past_alone_norms_included():
    tcn = SpeakerTcn(4, 6, 3, num_blocks=3, num_stacks=2, causal=True)
    assert seen_frames(lambda frames: tcn(frames, torch.ones(1, 3)), 60, 40) == (0, 40)
    tcn = without_norms(tcn)
    assert tcn.context == 2 * 2 * (1 + 2 + 4)
    assert seen_frames(lambda frames: tcn(frames, torch.ones(1, 3)), 60, 40) == (40 - 28, 40)


@pytest.mark.parametrize("conditioning", ["concat", "consm"])
def test_only_the_head_of_a_stack_is_told_the_speaker(conditioning):
    tcn = SpeakerTcn(4, 6, 3, num_blocks=3, num_stacks=2, conditioning=conditioning)
    widths = [[layer.expand.in_channels for layer in stack.blocks] for stack in tcn.stacks]
    assert widths == 2 * [[4 + 3 if conditioning == "concat" else 4, 4, 4]]
    assert [stack.modulation is None for stack in tcn.stacks] == 2 * [conditioning == "concat"]


def test_the_embedding_reaches_every_frame():
    tcn = SpeakerTcn(4, 6, 3, num_blocks=1, num_stacks=1)
    frames = torch.randn(1, 4, 8)
    difference = tcn(frames, torch.ones(1, 3)) - tcn(frames, torch.zeros(1, 3))
    assert (difference.abs().amax(1) > 1e-6).all()


def test_an_even_kernel_has_no_centre():
    with pytest.raises(ConfigError, match=r"kernel_size: expected an odd number.*got 4"):
        SpeakerTcn(4, 6, 3, kernel_size=4)
    frames = torch.randn(1, 4, 9)
    assert SpeakerTcn(4, 6, 3, kernel_size=4, causal=True)(frames, torch.ones(1, 3)).shape == frames.shape
