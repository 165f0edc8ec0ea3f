import pytest
import torch
from same_gradients import assert_same, needs_library

from zspex_toolkit.nn.resnet_speaker_encoder import ResNetBlock
from zspex_toolkit.nn.separate_layers import separate_layers


def block(in_channels, slope=0.25):
    torch.manual_seed(0)
    made = ResNetBlock(in_channels, 32)
    for parameter in made.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter)
    torch.nn.init.constant_(made.activation1.weight, slope)
    torch.nn.init.constant_(made.activation2.weight, slope)
    return made


@needs_library
@pytest.mark.parametrize("in_channels", [16, 32])
@pytest.mark.parametrize("lengths", [None, torch.tensor([20, 7])])
@pytest.mark.parametrize("training", [True, False])
def test_a_block_and_all_gradients_are_those_of_its_layers(in_channels, lengths, training):
    module, frames = block(in_channels).train(training), torch.randn(2, in_channels, 20, requires_grad=True)
    num_true = 6 if lengths is None else 2  # maxima that are taken over true frames in every row
    assert_same(module, lambda: module(frames, lengths)[:, :, :num_true], (frames,))


@needs_library
def test_a_negative_slope_gives_the_same():
    module, frames = block(16, -0.5), torch.randn(2, 16, 20, requires_grad=True)
    assert_same(module, lambda: module(frames, None), (frames,))


@needs_library
def test_running_statistics_are_those_of_the_layers():
    frames, lengths = 10 + torch.randn(2, 16, 20), torch.tensor([20, 7])
    fused, separate = block(16), block(16)
    fused(frames, lengths)
    with separate_layers():
        separate(frames, lengths)
    for name, value in separate.state_dict().items():
        torch.testing.assert_close(fused.state_dict()[name], value, rtol=1e-4, atol=1e-4)
