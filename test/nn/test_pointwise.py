"""Layers of one frame compute what torch's layers over (B, C, L) compute."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from zspex_toolkit.nn.pointwise import Pointwise, Rectifier, product


@pytest.mark.parametrize("bias", [True, False])
def test_a_pointwise_layer_is_a_conv1x1_with_its_parameters(bias):
    torch.manual_seed(0)
    layer, conv = Pointwise(3, 5, bias=bias), nn.Conv1d(3, 5, 1, bias=bias)
    layer.load_state_dict(conv.state_dict())
    frames, probe = torch.randn(2, 7, 3, requires_grad=True), torch.randn(2, 7, 5)
    out, expected = layer(frames), conv(frames.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(out, expected)
    actual = torch.autograd.grad((out * probe).sum(), (frames, *layer.parameters()))
    theirs = torch.autograd.grad((expected * probe).sum(), (frames, *conv.parameters()))
    torch.testing.assert_close(actual, theirs, rtol=1e-4, atol=1e-5)


def test_every_scale_gets_the_same_layer():
    layer, scales = Pointwise(3, 5), torch.randn(2, 4, 7, 3)  # (B, S, L, C)
    torch.testing.assert_close(layer(scales)[:, 2], layer(scales[:, 2]))


def test_a_rectifier_by_hand():
    assert Rectifier(init=0.25)(torch.tensor([-4.0, 0.0, 3.0])).tolist() == [-1, 0, 3]


@pytest.mark.parametrize("slope", [0.25, -0.5, 0.0, 1.0, 1.5])
def test_a_rectifier_is_a_prelu(slope):
    torch.manual_seed(0)
    layer, values = Rectifier(init=slope), torch.randn(2, 7, 3, requires_grad=True)
    probe = torch.randn(2, 7, 3)
    expected = functional.prelu(values, layer.weight)
    torch.testing.assert_close(layer(values), expected)
    gradients = torch.autograd.grad((expected * probe).sum(), (values, layer.weight))
    actual = torch.autograd.grad((layer(values) * probe).sum(), (values, layer.weight))
    torch.testing.assert_close(actual, gradients)


def test_half_precision_comes_out_as_it_came_in():
    layer = Rectifier()
    values = torch.randn(2, 7, 3).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(values)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), layer(values.float()), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (2, 3, 7), (1, 40)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_a_product_without_gradients_is_that_with_them(shape, has_bias):
    frames, weight, bias = torch.randn(*shape, 20), torch.randn(33, 20), torch.randn(33) if has_bias else None
    with torch.inference_mode():
        torch.testing.assert_close(product(frames, weight, bias), functional.linear(frames, weight, bias))


def test_a_product_takes_frames_that_are_not_contiguous():
    frames, weight = torch.randn(2, 20, 7).transpose(1, 2), torch.randn(5, 20)
    with torch.no_grad():
        torch.testing.assert_close(product(frames, weight), frames @ weight.T)
