"""gLN as one function against its formula."""

import pytest
import torch

from zspex_toolkit.nn.global_norm_function import global_norm


def by_the_formula(x, gain, offset, counts):
    rows = []
    for utterance, count in zip(x, counts, strict=True):
        true = utterance[:count]
        rows.append(gain * (utterance - true.mean()) / (true.var(unbiased=False) + 1e-5).sqrt() + offset)
    return torch.stack(rows)


@pytest.mark.parametrize("counts", [None, torch.tensor([6, 2])])
def test_it_normalises_by_the_true_frames_and_its_gradients_are_those_of_the_formula(counts):
    torch.manual_seed(0)
    inputs = [torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((2, 6, 3), (3,), (3,))]
    expected = by_the_formula(*inputs, [6, 6] if counts is None else counts)
    actual = global_norm(*inputs, counts, 1e-5)
    torch.testing.assert_close(actual, expected)
    weight = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad((actual * weight).sum(), inputs), torch.autograd.grad((expected * weight).sum(), inputs)
    )


def test_the_gradients_agree_with_finite_differences():
    inputs = [torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((2, 5, 3), (3,), (3,))]
    assert torch.autograd.gradcheck(lambda *x: global_norm(*x, torch.tensor([5, 3]), 1e-5), inputs)


def test_without_gain_and_offset_the_output_has_no_mean_and_unit_power():
    out = global_norm(4 + 3 * torch.randn(1, 50, 8), None, None, None, 1e-5)
    assert out.mean().abs() < 1e-5
    assert out.square().mean() == pytest.approx(1, abs=1e-4)
