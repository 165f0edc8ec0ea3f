"""The compiled block against the same in torch, which ``test_tcn_function`` checks against separate layers."""

import pytest
import torch

from zspex_toolkit.native.library import library
from zspex_toolkit.nn import tcn_native
from zspex_toolkit.nn.tcn_function import BlockWeights, TcnFunction, tcn_block

EPS = 1e-5
NAMES = ("output", "x", "bias_in", *BlockWeights._fields)
pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")


def draw(num_frames, channels, hidden, *, batch=3, dtype=torch.float64, seed=0):
    """x (B, L, C), bias_in (B, H) and the weights, float64 and with gradients."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape, scale=0.3, around=0.0):
        values = around + scale * torch.randn(*shape, generator=generator, dtype=torch.float64)
        return values.to(dtype).requires_grad_()

    weights = BlockWeights(
        w_in=normal(hidden, channels),
        slope_in=normal(1, scale=0.1, around=0.25),
        gain_in=normal(hidden, around=1.0),
        offset_in=normal(hidden),
        taps=normal(3, hidden),
        tap_bias=normal(hidden),
        slope_out=normal(1, scale=0.1, around=0.25),
        gain_out=normal(hidden, around=1.0),
        offset_out=normal(hidden),
        w_out=normal(channels, hidden),
        b_out=normal(channels),
    )
    return normal(batch, num_frames, channels, scale=1.0), normal(batch, hidden), weights


def single(inputs):
    x, bias_in, weights = inputs
    cast = lambda tensor: tensor.detach().float().requires_grad_()  # noqa: E731
    return cast(x), cast(bias_in), BlockWeights(*map(cast, weights))


def output_and_gradients(inputs, dilation, *, low=False):
    x, bias_in, weights = inputs
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=low):
        output = tcn_block(x, bias_in, weights, dilation=dilation, eps=EPS)
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output.dtype)
    return output.detach(), *torch.autograd.grad((output * weight).sum(), (x, bias_in, *weights))


@pytest.fixture
def torch_alone(monkeypatch):
    """A context of the block as it is without a compiler."""

    def compute(*args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(tcn_native, "applies", lambda *_: False)
            return output_and_gradients(*args, **options)

    return compute


def error(actual, expected):
    return ((actual - expected).norm() / expected.norm()).item()


# Stripes of columns, half ones and a rest; one frame; fewer frames than the dilation, and fewer than twice as many.
SHAPES = [
    (200, 16, 64, 8), (1, 16, 32, 1), (1, 3, 5, 2), (3, 20, 50, 4), (4, 8, 32, 4), (6, 16, 48, 4), (9, 20, 50, 5),
    (2100, 8, 16, 2),
]  # fmt: skip


@pytest.mark.parametrize(("num_frames", "channels", "hidden", "dilation"), SHAPES)
def test_float32_is_that_of_double_precision(num_frames, channels, hidden, dilation):
    inputs = draw(num_frames, channels, hidden)
    expected = output_and_gradients(inputs, dilation)  # double precision is not compiled
    actual = output_and_gradients(single(inputs), dilation)
    for name, one, other in zip(NAMES, actual, expected, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), other, rtol=2e-4, atol=1e-5 * other.abs().max().item(), msg=name)
        assert error(one, other) < 3e-5, name


@pytest.mark.parametrize(("num_frames", "channels", "hidden", "dilation"), SHAPES)
def test_bfloat16_is_as_near_to_double_precision_as_with_torch_alone(
    torch_alone, num_frames, channels, hidden, dilation
):
    runs = []  # of several seeds, as the few numbers that slopes are may be right by chance
    for seed in range(6):
        inputs = draw(num_frames, channels, hidden, seed=seed)
        expected = output_and_gradients(inputs, dilation)
        with_torch = torch_alone(single(inputs), dilation, low=True)
        runs.append([expected, with_torch, output_and_gradients(single(inputs), dilation, low=True)])
    expected, with_torch, compiled = ([torch.stack(values) for values in zip(*rows)] for rows in zip(*runs))  # noqa: B905
    for name, one, other, exact in zip(NAMES, compiled, with_torch, expected, strict=True):
        assert error(one, exact) < 1.5 * error(other, exact) + 1e-3, name
    assert error(compiled[0], expected[0]) > 1e-5  # it is rounded


def test_the_compiled_block_is_the_one_that_is_used(monkeypatch):
    monkeypatch.setattr(TcnFunction, "forward", None)
    x, bias_in, weights = single(draw(10, 4, 6))
    assert "NativeTcn" in type(tcn_block(x, bias_in, weights, dilation=1, eps=EPS).grad_fn).__name__


@pytest.mark.parametrize("low", [False, True])
def test_an_utterance_does_not_depend_on_the_others(low):
    x, bias_in, weights = single(draw(50, 8, 32))
    both = output_and_gradients((x, bias_in, weights), 2, low=low)[0]
    alone = output_and_gradients((x[1:2], bias_in[1:2], weights), 2, low=low)[0]
    torch.testing.assert_close(both[1:2], alone, rtol=0, atol=0)


@pytest.mark.parametrize("low", [False, True])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_passed_on(low, value):
    x, bias_in, weights = single(draw(20, 8, 40))
    with torch.no_grad():
        x[1, 3, 2] = value
    output, of_x, *_, of_b_out = output_and_gradients((x, bias_in, weights), 2, low=low)
    assert output[1].isnan().all() and of_x[1].isnan().all()
    assert output[0].isfinite().all() and of_x[2].isfinite().all()
    assert of_b_out.isfinite().all()  # it depends on no input


@pytest.mark.parametrize("slope", [-0.3, 0.0, 1.0])
def test_any_slope_has_the_right_gradients(slope):
    inputs = draw(30, 8, 20)
    value = torch.full((1,), slope, dtype=torch.float64, requires_grad=True)
    x, bias_in, weights = inputs
    inputs = x, bias_in, weights._replace(slope_in=value, slope_out=value.detach().clone().requires_grad_())
    expected, actual = output_and_gradients(inputs, 3), output_and_gradients(single(inputs), 3)
    for name, one, other in zip(NAMES, actual, expected, strict=True):
        assert error(one, other) < 1e-5, name


def test_a_mean_far_above_the_deviation_keeps_its_digits():
    x, bias_in, weights = draw(300, 8, 32)
    inputs = x, (bias_in.detach() * 0 + 300).requires_grad_(), weights
    expected, actual = output_and_gradients(inputs, 3), output_and_gradients(single(inputs), 3)
    assert error(actual[0], expected[0]) < 1e-4


def test_weights_and_frames_apart_in_memory_are_the_same():
    x, bias_in, weights = single(draw(12, 8, 32))
    apart = BlockWeights(*(torch.stack([w.detach()] * 2, -1)[..., 0].requires_grad_() for w in weights))
    frames = x.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_()
    expected = output_and_gradients((x, bias_in[:1].expand(3, -1), weights), 2)
    actual = output_and_gradients((frames, bias_in[:1].expand(3, -1), apart), 2)
    assert all(torch.equal(one, other) for one, other in zip(actual, expected, strict=True))


@pytest.mark.parametrize("low", [False, True])
def test_without_gradients_nothing_is_kept_and_the_output_is_the_same(low):
    x, bias_in, weights = single(draw(12, 8, 32))
    expected = output_and_gradients((x, bias_in, weights), 2, low=low)[0]
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=low):
        output = tcn_block(x, bias_in, weights, dilation=2, eps=EPS)
    assert torch.equal(output, expected) and output.grad_fn is None


@pytest.mark.parametrize(("low", "size"), [(False, 4), (True, 2)])
def test_the_frames_before_the_first_rectification_are_kept_and_the_rounded_input(low, size):
    batch, num_frames, channels, hidden = 2, 50, 32, 64
    x, bias_in, weights = single(draw(num_frames, channels, hidden, batch=batch))
    inputs = {tensor.data_ptr() for tensor in (*x, bias_in, *weights)}
    sizes = []

    def pack(tensor):
        sizes.append(0 if tensor.data_ptr() in inputs else tensor.numel() * tensor.element_size())
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", dtype=torch.bfloat16, enabled=low):
        tcn_block(x, bias_in, weights, dilation=1, eps=EPS)
    statistics, rounded = batch * 4 * 8, channels if low else 0
    assert sum(sizes) == batch * num_frames * size * (hidden + rounded) + statistics


def test_other_dtypes_and_numbers_of_taps_are_left_to_torch():
    x, _, weights = draw(5, 4, 6)
    assert not tcn_native.applies(x, weights.taps)
    assert tcn_native.applies(x.float(), weights.taps)
    assert not tcn_native.applies(x.float(), weights.taps[:1])
    assert not tcn_native.applies(x.float()[:, :0], weights.taps)
    with torch.autocast("cpu", dtype=torch.float16):
        assert not tcn_native.applies(x.float(), weights.taps)
