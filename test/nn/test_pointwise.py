import pytest
import torch
from torch import nn
from torch.nn import functional

from zspex_toolkit.nn.pointwise import Pointwise, Rectifier, pointwise
from zspex_toolkit.nn.separate_layers import separate_layers


def test_a_pointwise_layer_is_a_conv1x1_with_its_parameters():
    layer, conv = Pointwise(3, 5), nn.Conv1d(3, 5, 1)
    layer.load_state_dict(conv.state_dict())
    frames = torch.randn(2, 3, 7)
    torch.testing.assert_close(layer(frames), conv(frames))
    with separate_layers():
        assert torch.equal(layer(frames), conv(frames))


def test_fused_channels_of_a_frame_lie_side_by_side():
    assert pointwise(torch.randn(2, 3, 7), torch.randn(5, 3, 1)).stride() == (35, 1, 5)


@pytest.mark.parametrize("slope", [0.25, -0.5, 0.0])
def test_a_rectifier_is_a_prelu(slope):
    torch.manual_seed(0)
    layer, values = Rectifier(init=slope), torch.randn(2, 3, 7, requires_grad=True)
    weight = torch.randn(2, 3, 7).transpose(1, 2).contiguous().transpose(1, 2)
    expected = torch.autograd.grad((functional.prelu(values, layer.weight) * weight).sum(), (values, layer.weight))
    actual = torch.autograd.grad((layer(values) * weight).sum(), (values, layer.weight))
    torch.testing.assert_close(layer(values), functional.prelu(values, layer.weight))
    torch.testing.assert_close(actual, expected)


def test_a_rectifier_keeps_the_layout():
    assert Rectifier()(torch.randn(2, 7, 3).transpose(1, 2)).stride() == (21, 1, 3)
