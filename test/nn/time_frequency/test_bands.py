"""Bands hold every bin once, each has its own way in and out, and masks start at one."""

import itertools

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.time_frequency.bands import BandMask, BandSplit, band_edges

RATES = [(8000, 129), (16000, 257), (24000, 385), (48000, 769)]


@pytest.mark.parametrize(("fs", "num_bins"), RATES)
@pytest.mark.parametrize("num_bands", [1, 2, 12, 20, 33, 64])
def test_bands_hold_every_bin_once_and_none_is_under_two_bins(fs, num_bins, num_bands):
    edges = band_edges(num_bands, num_bins, fs)
    assert len(edges) == num_bands + 1 and edges[0] == 0 and edges[-1] == num_bins
    assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(edges))


def test_as_many_bands_as_pairs_of_bins_are_possible_and_no_more():
    assert band_edges(5, 11, 16000)[-1] == 11
    for num_bands in (0, 6):
        with pytest.raises(ConfigError, match=f"num_bands: expected 1 to 5 for spectra of 11 bins, got {num_bands}"):
            band_edges(num_bands, 11, 16000)


def test_bands_are_wider_where_frequencies_are_higher():
    widths = [later - earlier for earlier, later in itertools.pairwise(band_edges(8, 257, 16000))]
    assert widths == sorted(widths) and widths[-1] > 3 * widths[0]


def test_a_band_depends_on_its_own_bins_alone():
    edges = band_edges(4, 17, 8000)
    split = BandSplit(edges, 3, 5)
    shown = torch.randn(2, 3, 17, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    bands = split(shown)
    assert bands.shape == (2, 3, 4, 5)
    for band in range(4):
        (gradient,) = torch.autograd.grad(bands[:, :, band].sum(), shown, retain_graph=True)
        bins = gradient.abs().sum((0, 1, 3)).nonzero()[:, 0].tolist()
        assert bins == list(range(edges[band], edges[band + 1]))


@pytest.mark.parametrize("num_masks", [1, 2])
def test_masks_of_all_outputs_start_at_one_together(num_masks):
    torch.manual_seed(0)
    mask = BandMask(band_edges(4, 17, 8000), 5, 6, num_masks)
    masks = mask(torch.randn(2, 3, 4, 5))
    assert masks.shape == (2, 3, 17, num_masks) and masks.is_complex()
    assert (masks - 1 / num_masks).abs().max() < 0.1
    assert (masks.sum(-1) - 1).abs().max() < 0.15


def test_a_mask_depends_on_its_own_band_alone():
    torch.manual_seed(0)
    edges = band_edges(4, 17, 8000)
    mask = BandMask(edges, 5, 6)
    frames = torch.randn(1, 1, 4, 5)
    changed = frames.clone()
    changed[:, :, 2] = torch.randn(5)
    different = ((mask(changed) - mask(frames)).abs()[0, 0, :, 0] > 0).nonzero()[:, 0].tolist()
    assert different == list(range(edges[2], edges[3]))
