"""The block as one function against the block layer by layer, forward and backward."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from zspex_toolkit.nn import tcn_native
from zspex_toolkit.nn.tcn_function import BlockWeights, measure, tap_ranges, tcn_block

EPS = 1e-5


@pytest.fixture
def torch_alone(monkeypatch):
    """The block as it is without a compiler; the compiled one has tests of its own."""
    monkeypatch.setattr(tcn_native, "applies", lambda *_: False)


def draw_weights(channels, hidden, num_taps, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, scale=0.3, around=0.0):
        return (around + scale * torch.randn(*shape, generator=generator, dtype=dtype)).requires_grad_()

    return BlockWeights(
        w_in=draw(hidden, channels),
        slope_in=draw(1, scale=0.1, around=0.25),
        gain_in=draw(hidden, around=1.0),
        offset_in=draw(hidden),
        taps=draw(num_taps, hidden),
        tap_bias=draw(hidden),
        slope_out=draw(1, scale=0.1, around=0.25),
        gain_out=draw(hidden, around=1.0),
        offset_out=draw(hidden),
        w_out=draw(channels, hidden),
        b_out=draw(channels),
    )


def layer_by_layer(x, bias_in, w, dilation):
    """The block with torch's own layers, on (B, C, L)."""

    def normalise(y, gain, offset):
        mean, variance = y.mean((1, 2), keepdim=True), y.var((1, 2), unbiased=False, keepdim=True)
        return gain[:, None] * (y - mean) / (variance + EPS).sqrt() + offset[:, None]

    y = F.conv1d(x.transpose(1, 2), w.w_in[:, :, None]) + bias_in[:, :, None]
    y = normalise(F.prelu(y, w.slope_in), w.gain_in, w.offset_in)
    padding = dilation * (len(w.taps) // 2)
    y = F.conv1d(y, w.taps.t()[:, None], w.tap_bias, padding=padding, dilation=dilation, groups=len(w.w_in))
    y = normalise(F.prelu(y, w.slope_out), w.gain_out, w.offset_out)
    return x + F.conv1d(y, w.w_out[:, :, None], w.b_out).transpose(1, 2)


def outputs_and_gradients(function, inputs):
    output = function(*inputs)
    weight = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output).sin()
    return output, torch.autograd.grad((output * weight).sum(), inputs)


# The last two: an outer tap, then every outer tap, sees nothing but padding.
@pytest.mark.parametrize(
    ("num_frames", "num_taps", "dilation"), [(20, 3, 1), (20, 3, 8), (9, 5, 2), (20, 1, 1), (5, 5, 3), (3, 3, 4)]
)
def test_the_block_and_its_gradients_equal_those_of_separate_layers(num_frames, num_taps, dilation):
    w = draw_weights(4, 6, num_taps)
    x = torch.randn(2, num_frames, 4, dtype=torch.float64, requires_grad=True)
    bias_in = torch.randn(2, 6, dtype=torch.float64, requires_grad=True)
    expected, gradients = outputs_and_gradients(
        lambda x, b, *w: layer_by_layer(x, b, BlockWeights(*w), dilation), (x, bias_in, *w)
    )
    actual, own = outputs_and_gradients(
        lambda x, b, *w: tcn_block(x, b, BlockWeights(*w), dilation=dilation, eps=EPS), (x, bias_in, *w)
    )
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)
    for name, one, other in zip(("x", "bias_in", *w._fields), own, gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9, msg=name)


def test_the_gradients_agree_with_finite_differences():
    w = draw_weights(2, 3, 3)
    x = torch.randn(2, 6, 2, dtype=torch.float64, requires_grad=True)
    bias_in = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    function = lambda x, b, *w: tcn_block(x, b, BlockWeights(*w), dilation=2, eps=EPS)  # noqa: E731
    assert torch.autograd.gradcheck(function, (x, bias_in, *w))


def test_a_negative_slope_has_the_right_gradient_too():
    w = draw_weights(4, 6, 3)._replace(slope_in=torch.full((1,), -0.3, dtype=torch.float64, requires_grad=True))
    x, bias_in = torch.randn(1, 12, 4, dtype=torch.float64), torch.zeros(1, 6, dtype=torch.float64)
    expected = torch.autograd.grad(layer_by_layer(x, bias_in, w, 2).pow(3).sum(), w.slope_in)
    actual = torch.autograd.grad(tcn_block(x, bias_in, w, dilation=2, eps=EPS).pow(3).sum(), w.slope_in)
    torch.testing.assert_close(actual, expected)


def test_float32_is_within_1e_4_of_double_precision_over_many_frames(torch_alone):
    w = draw_weights(64, 128, 3)
    x, bias_in = torch.randn(1, 2000, 64, dtype=torch.float64), torch.zeros(1, 128, dtype=torch.float64)
    expected = tcn_block(x, bias_in, w, dilation=16, eps=EPS)
    single = tcn_block(x.float(), bias_in.float(), BlockWeights(*(v.float() for v in w)), dilation=16, eps=EPS)
    assert (single - expected).abs().max() < 1e-4 * expected.abs().max()


def test_under_autocast_the_products_are_rounded_and_the_output_is_not(torch_alone):
    w = draw_weights(32, 64, 3, torch.float32)
    x, bias_in = torch.randn(1, 100, 32, requires_grad=True), torch.zeros(1, 64)
    full = tcn_block(x, bias_in, w, dilation=2, eps=EPS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = tcn_block(x, bias_in, w, dilation=2, eps=EPS)
    assert rounded.dtype == torch.float32
    error = (rounded - full).abs().max() / full.abs().max()
    assert 1e-6 < error < 2e-2
    of_full, of_rounded = torch.autograd.grad(full.sum(), x)[0], torch.autograd.grad(rounded.sum(), x)[0]
    assert 0 < (of_full - of_rounded).norm() < 5e-2 * of_full.norm()


def test_the_block_keeps_its_input_and_parameters_for_the_backward_pass_and_nothing_else(torch_alone):
    w = draw_weights(8, 16, 3, torch.float32)
    x, bias_in = torch.randn(2, 50, 8, requires_grad=True), torch.zeros(2, 16, requires_grad=True)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: saved.append(tensor.data_ptr()), lambda _: None):
        tcn_block(x, bias_in, w, dilation=1, eps=EPS)
    assert set(saved) == {tensor.data_ptr() for tensor in (x, bias_in, *w)}


def test_a_block_of_frames_apart_in_memory_is_the_same():
    w = draw_weights(4, 6, 3)
    x, bias_in = torch.randn(2, 4, 10, dtype=torch.float64).transpose(1, 2), torch.zeros(2, 6, dtype=torch.float64)
    assert torch.equal(
        tcn_block(x, bias_in, w, dilation=1, eps=EPS), tcn_block(x.contiguous(), bias_in, w, dilation=1, eps=EPS)
    )


def test_statistics_are_those_of_the_whole_utterance():
    statistics = measure(torch.tensor([[1.0, 2.0], [3.0, 6.0]]), eps=0.0)
    assert statistics.mean == 3.0
    assert statistics.scale == pytest.approx(3.5**-0.5)  # (4 + 1 + 0 + 9) / 4


def test_a_silent_utterance_has_finite_statistics():
    assert measure(torch.zeros(3, 2), eps=1e-4) == (0.0, pytest.approx(100.0))


def test_outer_taps_see_fewer_frames():
    assert tap_ranges(10, 3, 4) == [(-4, 4, 10), (0, 0, 10), (4, 0, 6)]
    assert tap_ranges(3, 3, 4) == [(-4, 3, 3), (0, 0, 3), (4, 0, 0)]


def test_layers_of_torch_can_hold_the_weights():
    depthwise = nn.Conv1d(6, 6, 3, groups=6)
    w = draw_weights(4, 6, 3, torch.float32)._replace(taps=depthwise.weight[:, 0].t(), tap_bias=depthwise.bias)
    tcn_block(torch.randn(1, 10, 4), torch.zeros(1, 6), w, dilation=1, eps=EPS).sum().backward()
    assert depthwise.weight.grad.abs().min() > 0
