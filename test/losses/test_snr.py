import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses.snr import snr


def signals(rows=2, length=400):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, length, generator=generator), torch.randn(rows, length, generator=generator)


def test_it_is_the_ratio_of_energies_and_a_wrong_level_costs():
    target, noise = signals(1)
    present = torch.tensor([True])
    noise = noise / noise.norm() * target.norm()
    assert float(snr((target + 0.1 * noise)[:, None], target, present, None, max_snr_db=0.0)) == pytest.approx(
        -20, abs=0.01
    )
    assert float(snr((2 * target)[:, None], target, present, None, max_snr_db=0.0)) == pytest.approx(0, abs=0.01)
    assert float(snr((0 * target)[:, None], target, present, None, max_snr_db=0.0)) == pytest.approx(0, abs=0.01)


def test_a_perfect_estimate_reaches_the_limit_and_its_gradient_is_finite():
    target, _ = signals()
    estimates = target[:, None].clone().requires_grad_()
    loss = snr(estimates, target, torch.tensor([True, True]), None, max_snr_db=25.0)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(-25, abs=0.01) and estimates.grad.isfinite().all()


def test_absent_and_silent_rows_have_finite_gradients_and_absent_ones_none():
    target, noise = signals()
    estimates = noise[:, None].clone().requires_grad_()
    snr(estimates, 0 * target, torch.tensor([False, True]), None).backward()
    assert estimates.grad.isfinite().all() and not estimates.grad[0].any()


def test_what_lies_behind_the_true_length_counts_for_nothing():
    target, noise = signals()
    estimate = target + 0.1 * noise
    counts = torch.tensor([300, 400])
    loss = snr(estimate[:, None], target, torch.tensor([True, True]), counts)
    target[0, 300:] = estimate[0, 300:] = 7.0
    estimate[0, 350] = 1e6
    assert float(snr(estimate[:, None], target, torch.tensor([True, True]), counts)) == pytest.approx(
        float(loss), rel=1e-6
    )


def test_a_negative_limit_is_refused():
    target, _ = signals()
    with pytest.raises(ConfigError, match="max_snr_db: expected a finite number of 0 or more, got -1"):
        snr(target[:, None], target, torch.tensor([True, True]), None, max_snr_db=-1)
