"""Tests of the SI-SDR loss."""

import pytest
import torch

from zspex_toolkit.losses.si_sdr import si_sdr


def test_it_is_the_mean_of_the_negative_ratios():
    # 20 dB and 6.0206 dB: noise a tenth and a half of the reference, orthogonal to it.
    reference = torch.tensor([[1.0, -1, 1, -1]]).expand(2, 4)
    noise = torch.tensor([[1.0, 1, -1, -1]]) * torch.tensor([[0.1], [0.5]])
    assert si_sdr(reference + noise, reference).item() == pytest.approx(-(20 + 6.0206) / 2, abs=1e-4)


def test_padding_does_not_count():
    reference = torch.tensor([[1.0, -1, 1, -1, 5, 5]])
    estimate = torch.tensor([[1.1, -0.9, 0.9, -1.1, -7, 3]])
    assert si_sdr(estimate, reference, num_samples=torch.tensor([4])).item() == pytest.approx(-20, abs=1e-4)


def test_a_silent_row_leaves_the_gradient_of_the_others_alone():
    reference = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    estimate = (reference + 0.3 * reference.flip(1)).requires_grad_()
    (alone,) = torch.autograd.grad(si_sdr(estimate[:1], reference[:1]), estimate)
    silenced = torch.stack([estimate[0], 0 * estimate[1]])
    (both,) = torch.autograd.grad(si_sdr(silenced, reference), estimate)
    torch.testing.assert_close(both[0], alone[0] / 2)
    assert torch.equal(both[1], torch.zeros(50))


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"got \(2, 8\) and \(2, 7\)"):
        si_sdr(torch.zeros(2, 8), torch.zeros(2, 7))
