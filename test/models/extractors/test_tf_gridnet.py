"""The TF-GridNet extractor: the published size, masks that start at one or a spectrum of its own.

What it shares with its family is in test/models/test_time_frequency_extractor.py.
"""

from pathlib import Path

import pytest
import torch
import yaml

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.extractors.tf_gridnet import SMALL, TfGridNetExtractor
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor

ROOT = Path(__file__).parents[3]


def noise(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small(kind="mapping", **options):
    torch.manual_seed(0)
    return TfGridNetExtractor(3, **SMALL[kind] | options).eval()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_blocks_are_of_the_published_size():
    """14.5 M in all at 8 kHz, as the paper's Table says of D = 64, B = 6, I = 4, J = 1, H = 256, E = 4, L = 4."""
    with torch.device("meta"):
        network = TfGridNetExtractor(101, fs=8000)
    lstm = 2 * 4 * (256 * (4 * 64 + 256) + 2 * 256)
    recurrence = 2 * 64 + lstm + 512 * 4 * 64 + 64

    def projection(size, heads):
        return 64 * size * heads + size * heads + heads + 2 * heads * 129 * size

    attention = 2 * projection(4, 4) + projection(16, 4) + projection(64, 1)
    assert count(network.blocks) == 6 * (2 * recurrence + attention) == 14_517_390
    assert network.encoder.num_bands == 129


@pytest.mark.parametrize("recurrence", ["sru", "gru", "lstm"])
@torch.no_grad()
def test_with_masks_it_gives_out_about_the_mixture_before_training(recurrence):
    network, mixture = small("mask", recurrence=recurrence), noise(2, 4000)
    output = network(mixture, network.clue(noise(2, 4000, seed=2)))
    assert (output.estimates[:, 0] - mixture).square().mean() < 0.05 * mixture.square().mean()
    assert (output.blind.sum(1) - mixture).square().mean() < 0.05 * mixture.square().mean()


@torch.no_grad()
def test_a_mapping_has_the_size_of_the_mixture_before_training():
    network, mixture = small(), noise(2, 4000)
    output = network.extract(mixture, network.clue(noise(2, 4000, seed=2)))
    assert 0.01 < output.square().mean() / mixture.square().mean() < 4


@torch.no_grad()
def test_bins_of_silence_can_be_filled_by_a_mapping_and_not_by_masks():
    tone = torch.sin(torch.arange(4096) * 2 * torch.pi * 64 / 512)[None]  # one bin of 257

    def far_share(kind):
        network = small(kind)
        spectra = network.spectrum(network.extract(tone, network.clue(noise(1, 4000))))[4:-4]
        return float(spectra[..., 100:].abs().square().sum() / spectra.abs().square().sum())

    assert far_share("mask") < 1e-3 < far_share("mapping")


@pytest.mark.parametrize(("bin_stride", "num_bands"), [(1, 257), (8, 33), (10, 26)])
def test_a_stride_over_bins_makes_fewer_bands(bin_stride, num_bands):
    network = small(bin_stride=bin_stride)
    assert network.encoder.num_bands == num_bands
    assert network.blocks[0].frames.query.gain.shape[1] == num_bands


@pytest.mark.parametrize("hop_ms", [8.0, 16.0])
def test_its_context_is_two_seconds(hop_ms):
    assert small(hop_ms=hop_ms).context_samples == 32000


def test_there_are_no_more_regions_than_bands():
    network = small(bin_stride=64, num_regions=32)
    assert network.pooling.num_bands == network.encoder.num_bands == 5


@pytest.mark.parametrize("fs", [8000, 16000])
def test_the_settings_of_the_recipe_build(fs):
    path = ROOT / "egs" / "speechocean762" / "tse1" / "conf" / "tf_gridnet.yaml"
    settings = yaml.safe_load(path.read_text())
    network = build_extractor(ExtractorSpec(settings["extractor"], settings["extractor_options"], fs, 101))
    assert network.encoder.num_bands == {8000: 17, 16000: 33}[fs]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="output: expected one of mapping, mask, got 'filter'"):
        small(output="filter")
    with pytest.raises(ConfigError, match="bin_stride: expected 1 to 256 for spectra of 257 bins, got 0"):
        small(bin_stride=0)
    with pytest.raises(ConfigError, match=r"kernel: expected a multiple of the stride \(3\), got 4"):
        small(kernel=4, stride=3)
