"""Compiled passes and products, and when they do not apply."""

import pytest
import torch

from zspex_toolkit.native.library import library
from zspex_toolkit.nn.passes import factor_dtype, run_pass, times, times_transposed, true_counts, weight_gradient
from zspex_toolkit.nn.separate_layers import separate_layers

needs_library = pytest.mark.skipif(library() is None, reason="no compiler")


@needs_library
def test_they_multiply_what_autocast_asks_for():
    frames = torch.randn(2, 16)
    assert factor_dtype(frames, 16, 32) == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert factor_dtype(frames, 16) == torch.bfloat16
    with torch.autocast("cpu", torch.float16):
        assert factor_dtype(frames, 16) is None


def test_odd_widths_other_types_other_devices_and_separate_layers_are_left_to_torch():
    frames = torch.randn(2, 16)
    assert factor_dtype(frames, 16, 20) is None
    assert factor_dtype(frames.double(), 16) is None
    assert factor_dtype(frames.to("meta"), 16) is None
    assert factor_dtype(frames[:0], 16) is None
    with separate_layers():
        assert factor_dtype(frames, 16) is None


@needs_library
@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (torch.zeros(16, 32)[:, ::2], ValueError, r"encode: expected contiguous .* with strides \(32, 2\)"),
        (torch.zeros(16, 16, device="meta"), ValueError, "on the CPU, found one on meta"),
        (torch.zeros(16, 16, dtype=torch.float64), TypeError, "found torch.float64"),
        (torch.zeros(16, 16, dtype=torch.bfloat16), TypeError, "expected tensors of torch.float32, torch.int64, found"),
    ],
)
def test_a_pass_refuses_what_it_would_misread(values, error, message):
    with pytest.raises(error, match=message):
        run_pass("encode", None, values, torch.zeros(16, 1, 16), 0, 16, 1, 16)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_products_are_those_of_the_formulas(dtype, tolerance):
    torch.manual_seed(0)
    rows, grad, weight, bias = torch.randn(50, 16), torch.randn(50, 32), torch.randn(32, 16), torch.randn(32)
    low_rows, low_grad = rows.to(dtype), grad.to(dtype)
    expected = (rows @ weight.t() + bias, grad @ weight, grad.t() @ rows)
    actual = times(low_rows, weight, bias), times_transposed(low_grad, weight), weight_gradient(low_grad, low_rows)
    assert [one.dtype for one in actual] == [dtype, dtype, torch.float32]
    for one, other in zip(actual, expected, strict=True):
        assert (one.float() - other).abs().max() < tolerance * other.abs().max()


def test_counts_never_reach_behind_the_end():
    assert true_counts(None, 2, 7).tolist() == [7, 7]
    assert true_counts(torch.tensor([3, 8, -1], dtype=torch.int32), 3, 7).tolist() == [3, 7, 0]
