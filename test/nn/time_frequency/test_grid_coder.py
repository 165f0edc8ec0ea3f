"""Convolutions lead from bins to bands and back to as many bins, whatever the stride."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.time_frequency.grid_coder import GridDecoder, GridEncoder


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("num_bins", "stride", "num_bands"), [(17, 1, 17), (17, 4, 5), (17, 5, 4), (13, 8, 2)])
def test_as_many_bins_come_out_as_went_in(num_bins, stride, num_bands):
    encoder, decoder = GridEncoder(num_bins, 3, 4, stride), GridDecoder(num_bins, 4, stride, 2)
    frames = encoder(noise(6, 2, num_bins, 3))
    assert frames.shape == (6, 2, num_bands, 4) and encoder.num_bands == num_bands
    decoded = decoder(frames)
    assert decoded.shape == (2, 6, 2, num_bins) and decoded.is_complex()


def test_a_stride_of_one_is_the_published_convolution():
    encoder = GridEncoder(17, 2, 4)
    assert encoder.convolution.kernel_size == (3, 3) and encoder.convolution.padding == (1, 1)
    shown = noise(6, 1, 17, 2)
    expected = encoder.convolution(shown.permute(1, 3, 0, 2))  # (1, N, L, F)
    torch.testing.assert_close(encoder(shown)[:, 0], expected[0].permute(1, 2, 0))


@pytest.mark.parametrize("stride", [1, 4, 5])
def test_every_bin_reaches_a_band_and_is_reached_by_one(stride):
    torch.manual_seed(0)
    encoder, decoder = GridEncoder(18, 3, 4, stride), GridDecoder(18, 4, stride, 1)
    shown = noise(3, 1, 18, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(encoder(shown).square().sum(), shown)
    assert (gradient.abs().sum((0, 1, 3)) > 0).all()
    frames = noise(3, 1, encoder.num_bands, 4)
    difference = decoder(frames) - decoder(frames + 1)
    assert (difference.abs().amax((0, 1, 2)) > 0).all()


@pytest.mark.parametrize("num_outputs", [1, 2])
def test_masks_of_all_outputs_start_at_one_together(num_outputs):
    torch.manual_seed(0)
    masks = GridDecoder(33, 8, 8, num_outputs, as_masks=True)(noise(6, 2, 5, 8))
    assert (masks - 1 / num_outputs).abs().max() < 0.3
    assert (masks.sum(0) - 1).abs().mean() < 0.15


@pytest.mark.parametrize("stride", [0, 17])
def test_a_stride_that_leaves_one_band_or_none_is_refused(stride):
    with pytest.raises(ConfigError, match=f"bin_stride: expected 1 to 16 for spectra of 17 bins, got {stride}"):
        GridEncoder(17, 3, 4, stride)
