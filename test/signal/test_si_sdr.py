"""Tests of the scale-invariant signal-to-distortion ratio."""

import math

import pytest
import torch

from zspex_toolkit.signal.si_sdr import si_sdr


@pytest.fixture
def speech():
    """Two estimates and references (2, 4000), about 6 and 0 dB apart."""
    generator = torch.Generator().manual_seed(0)
    reference, noise = torch.randn(2, 2, 4000, generator=generator)
    return reference + torch.tensor([[0.5], [1.0]]) * noise, reference


def test_a_known_mixture_by_hand():
    # Orthogonal, zero-mean, energies 8 and 2: 10 log10(8 / 2) = 6.0206 dB; the estimate's scale does not count.
    target = torch.tensor([1.0, 1, -1, -1, 1, 1, -1, -1])
    interferer = 0.5 * torch.tensor([1.0, -1, 1, -1, 1, -1, 1, -1])
    assert si_sdr(7 * (target + interferer), target).item() == pytest.approx(6.0206, abs=1e-4)
    assert si_sdr(target + interferer, interferer).item() == pytest.approx(-6.0206, abs=1e-4)


def test_scale_and_sign_of_the_estimate_do_not_matter(speech):
    estimate, reference = speech
    torch.testing.assert_close(si_sdr(-0.01 * estimate, reference), si_sdr(estimate, reference), atol=1e-4, rtol=0)
    torch.testing.assert_close(si_sdr(estimate, 30 * reference), si_sdr(estimate, reference), atol=1e-4, rtol=0)


def test_it_agrees_with_torchmetrics(speech):
    audio = pytest.importorskip("torchmetrics.functional.audio")
    estimate, reference = speech[0] + 0.3, speech[1] - 0.1
    torch.testing.assert_close(
        si_sdr(estimate, reference),
        audio.scale_invariant_signal_distortion_ratio(estimate, reference, zero_mean=True),
        atol=1e-4,
        rtol=0,
    )


def test_a_constant_offset_does_not_count(speech):
    estimate, reference = speech
    assert torch.allclose(si_sdr(estimate + 5, reference), si_sdr(estimate, reference), atol=1e-3)


def test_what_lies_behind_the_samples_of_a_row_does_not_matter(speech):
    estimate, reference = speech
    alone = si_sdr(estimate[0, :2500], reference[0, :2500])
    estimate[0, 2500:], reference[0, 2500:] = float("nan"), 9.0
    batched = si_sdr(estimate, reference, num_samples=torch.tensor([2500, 4000]))
    torch.testing.assert_close(batched[0], alone)
    torch.testing.assert_close(batched[1], si_sdr(estimate[1], reference[1]))


def test_one_number_of_samples_serves_all_scales_of_a_row(speech):
    estimates = torch.stack([speech[0], 2 * speech[0], speech[0] + 1], dim=1)  # (B, S, T)
    references = speech[1][:, None].expand_as(estimates)
    ratios = si_sdr(estimates, references, num_samples=torch.tensor([[2500], [4000]]))
    assert ratios.shape == (2, 3)
    torch.testing.assert_close(ratios, ratios[:, :1].expand(2, 3), atol=1e-4, rtol=0)


def test_the_gradient_behind_the_samples_of_a_row_is_zero(speech):
    estimate = torch.cat([speech[0][:, :2500], torch.full((2, 1500), float("nan"))], dim=1).requires_grad_()
    si_sdr(estimate, speech[1], num_samples=torch.tensor([2500, 2500])).sum().backward()
    assert torch.isfinite(estimate.grad).all()
    assert estimate.grad[:, :2500].abs().sum() > 0
    assert (estimate.grad[:, 2500:] == 0).all()


@pytest.mark.parametrize("silent", ["estimate", "reference", "both"])
def test_silence_gives_finite_values_and_gradients(speech, silent):
    estimate, reference = speech
    estimate = torch.zeros_like(estimate) if silent != "reference" else estimate.clone()
    reference = torch.zeros_like(reference) if silent != "estimate" else reference
    ratio = si_sdr(estimate.requires_grad_(), reference)
    ratio.sum().backward()
    assert torch.isfinite(ratio).all()
    assert torch.isfinite(estimate.grad).all()


def test_a_silent_estimate_has_zero_decibels_and_a_silent_reference_the_energy_of_the_estimate():
    signal, silence = torch.tensor([3.0, -3.0]), torch.zeros(2)  # energy 18
    assert si_sdr(silence, signal).item() == pytest.approx(0, abs=1e-6)
    assert si_sdr(signal, silence).item() == pytest.approx(10 * math.log10(1e-8 / 18), abs=1e-4)


def test_a_perfect_estimate_is_finite_and_high():
    signal = torch.randn(1000, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ratio = si_sdr(signal, signal.detach())
    (gradient,) = torch.autograd.grad(ratio, signal)
    assert 100 < ratio.item() < 130
    assert torch.isfinite(gradient).all()


def test_the_gradient_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    estimate, reference = torch.randn(2, 2, 6, dtype=torch.double, generator=generator)
    assert torch.autograd.gradcheck(
        lambda signal: si_sdr(signal, reference, num_samples=torch.tensor([4, 6])), estimate.requires_grad_()
    )


def test_autocast_leaves_it_in_single_precision(speech):
    estimate, reference = speech
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ratio = si_sdr(estimate, reference)
    assert ratio.dtype == torch.float32
    assert torch.equal(ratio, si_sdr(estimate, reference))
    assert si_sdr(estimate.bfloat16(), reference).dtype == torch.float32


@pytest.mark.parametrize("shapes", [((2, 8), (2, 7)), ((2, 8), (8,)), ((), ())])
def test_different_shapes_are_refused(shapes):
    with pytest.raises(ValueError, match=r"expected an estimate and a reference of one shape \(\.\.\., T\), got"):
        si_sdr(*map(torch.zeros, shapes))
