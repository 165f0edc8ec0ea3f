import pytest
import torch
from torch.nn import functional as F

from zspex_toolkit.nn.matrix_product import frames_linear, product, product_into


def test_a_product_is_torchs_in_every_layout():
    frames, weight, bias = torch.randn(30, 8), torch.randn(5, 8), torch.randn(5)
    expected = F.linear(frames, weight, bias)
    torch.testing.assert_close(product(frames, weight, bias), expected)
    torch.testing.assert_close(product(frames.t().contiguous().t(), weight.t().contiguous().t(), bias), expected)
    torch.testing.assert_close(product(frames[None], weight), F.linear(frames[None], weight))


def test_no_frames_give_no_frames():
    assert product(torch.empty(0, 8), torch.randn(5, 8)).shape == (0, 5)


def test_low_precision_factors_leave_the_dtype_of_the_frames():
    frames, weight, bias = torch.randn(30, 64), torch.randn(5, 64), torch.randn(5)
    rounded = product(frames, weight, bias, torch.bfloat16)
    assert rounded.dtype == torch.float32
    error = (rounded - F.linear(frames, weight, bias)).abs().max()
    assert 1e-4 < error < 0.3


def test_a_product_in_parts_is_the_whole():
    frames, weight, bias = torch.randn(1000, 8), torch.randn(512, 8), torch.randn(512)
    out = product_into(torch.empty(1000, 512), frames, weight, bias)
    torch.testing.assert_close(out, F.linear(frames, weight, bias))


@pytest.mark.parametrize("bias", [None, torch.randn(5, dtype=torch.float64, requires_grad=True)])
def test_gradients_agree_with_finite_differences(bias):
    frames = torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(frames_linear, (frames, weight, bias))


def test_float32_gradients_are_torchs():
    frames, weight, bias = (torch.randn(*s, requires_grad=True) for s in ((2, 50, 16), (8, 16), (8,)))
    expected = torch.autograd.grad(F.linear(frames, weight, bias).pow(2).sum(), (frames, weight, bias))
    actual = torch.autograd.grad(frames_linear(frames, weight, bias).pow(2).sum(), (frames, weight, bias))
    for one, other in zip(actual, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


def test_a_frozen_weight_gets_no_gradient():
    frames, weight = torch.randn(4, 3, requires_grad=True), torch.randn(2, 3)
    frames_linear(frames, weight).sum().backward()
    torch.testing.assert_close(frames.grad, weight.sum(0).expand(4, -1))


def test_frames_rounded_by_an_earlier_layer_give_a_result_of_the_weights_precision():
    frames, weight = torch.randn(2, 4, 3, dtype=torch.bfloat16, requires_grad=True), torch.randn(5, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = frames_linear(frames, weight)
    out.sum().backward()
    assert (out.dtype, frames.grad.dtype) == (torch.float32, torch.bfloat16)
