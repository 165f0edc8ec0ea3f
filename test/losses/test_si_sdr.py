"""Tests of the SI-SDR loss."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses.si_sdr import saturated, si_sdr

TONE, NOISE = torch.tensor([[1.0, -1, 1, -1]]), torch.tensor([[1.0, 1, -1, -1]])  # orthogonal
HERE = torch.tensor([True])


def test_it_is_the_mean_of_the_negative_ratios_and_an_absent_target_counts_as_zero():
    # 20 dB and 6.0206 dB: noise a tenth and a half of the reference.
    target = TONE.expand(3, 4)
    estimates = (target + NOISE * torch.tensor([[0.1], [0.5], [0.2]]))[:, None]
    loss = si_sdr(estimates, target, torch.tensor([True, True, False]), None)
    assert loss.item() == pytest.approx(-(20 + 6.0206 + 0) / 3, abs=1e-4)


def test_the_scales_are_weighted():
    estimates = torch.stack([TONE + 0.1 * NOISE, TONE + NOISE], dim=1)
    loss = si_sdr(estimates, TONE, HERE, None, scales=(0.7, 0.3))
    assert loss.item() == pytest.approx(-0.7 * 20, abs=1e-4)  # the second has 0 dB


def test_a_silent_row_leaves_the_gradient_of_the_others_alone():
    target = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    estimates = (target + 0.3 * target.flip(1))[:, None].requires_grad_()
    both_here = HERE.expand(2)
    (alone,) = torch.autograd.grad(si_sdr(estimates[:1], target[:1], HERE, None), estimates)
    silenced = torch.stack([estimates[0], 0 * estimates[1]])
    (both,) = torch.autograd.grad(si_sdr(silenced, target, both_here, None), estimates)
    torch.testing.assert_close(both[0], alone[0] / 2)
    assert torch.equal(both[1], torch.zeros(1, 50))


def test_better_than_the_limit_gains_nothing():
    values = [
        si_sdr((TONE + 10 ** (-db / 20) * NOISE)[:, None], TONE, HERE, None, max_si_sdr_db=30.0).item()
        for db in (-10, 20, 30, 75)
    ]
    assert values == pytest.approx([10.0, -19.586, -26.990, -30.0], abs=2e-3)


def test_saturation_is_smooth_and_keeps_low_ratios():
    ratios = torch.tensor([-40.0, 0.0, 30.0, 200.0], requires_grad=True)
    bent = saturated(ratios, 30.0)
    assert bent.tolist() == pytest.approx([-40.0, -0.00434, 26.9897, 30.0], abs=1e-4)
    bent.sum().backward()
    assert ratios.grad.tolist() == pytest.approx([1.0, 0.999, 0.5, 0.0], abs=1e-3)
    assert saturated(ratios, 0.0) is ratios


def test_a_limit_below_zero_is_refused():
    with pytest.raises(ConfigError, match="max_si_sdr_db: expected a finite number of 0 or more, got -1"):
        si_sdr(TONE[:, None], TONE, HERE, None, max_si_sdr_db=-1.0)
