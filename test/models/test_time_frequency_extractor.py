"""What holds for every extractor over short-time spectra, in every kind that there is of each."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.time_frequency_extractor import TimeFrequencyExtractor
from zspex_toolkit.registry import available, load, load_module

FAMILY = [
    name
    for name in available("models.extractors")
    if isinstance(constructor := load("models.extractors", name), type)
    and issubclass(constructor, TimeFrequencyExtractor)
]
KINDS = [(name, kind) for name in FAMILY for kind in load_module("models.extractors", name).SMALL]
EVERY = pytest.mark.parametrize("kind", KINDS, ids="-".join)
NAMES = pytest.mark.parametrize("name", FAMILY)


def noise(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small(kind, **options):
    torch.manual_seed(0)
    name, settings = kind
    return load("models.extractors", name)(3, **load_module("models.extractors", name).SMALL[settings] | options).eval()


def test_both_networks_are_of_the_family():
    assert {"band_split", "tf_gridnet"} <= set(FAMILY)


@EVERY
@pytest.mark.parametrize("gain", [1e-3, 1e3])
@torch.no_grad()
def test_the_level_of_the_mixture_changes_the_level_of_the_output_alone(kind, gain):
    network, mixture = small(kind), noise(2, 3000)
    clue = network.clue(noise(2, 4000, seed=2))
    expected = network.extract(mixture, clue)
    torch.testing.assert_close(network.extract(gain * mixture, clue) / gain, expected, rtol=1e-3, atol=1e-3)


@EVERY
@pytest.mark.parametrize("gain", [1e-3, 1e3])
@torch.no_grad()
def test_the_level_of_the_enrollment_changes_nothing(kind, gain):
    network, enrollment = small(kind), noise(2, 4000, seed=2)
    lengths = torch.tensor([4000, 2500])
    expected, actual = network.clue(enrollment, lengths), network.clue(gain * enrollment, lengths)
    torch.testing.assert_close(actual.embedding, expected.embedding, rtol=1e-3, atol=1e-3)
    mixture = noise(2, 3000)
    outputs = [network.extract(mixture, clue) for clue in (actual, expected)]
    torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-3)


@EVERY
@torch.no_grad()
def test_silence_in_any_place_gives_finite_outputs_and_silence_for_silence(kind):
    network = small(kind)
    silence, speech = torch.zeros(1, 3000), noise(1, 3000)
    assert network.extract(speech, network.clue(silence)).isfinite().all()
    assert network.extract(silence, network.clue(speech)).abs().max() < 1e-5


@NAMES
@pytest.mark.parametrize("fs", [8000, 16000, 24000, 48000])
@torch.no_grad()
def test_any_rate_and_length_will_do(name, fs):
    network = small((name, next(iter(load_module("models.extractors", name).SMALL))), fs=fs)
    clue = network.clue(noise(1, network.min_enrollment_samples))
    for num_samples in (1, 37, network.spectrum.hop, fs // 5):
        output = network.extract(noise(1, num_samples), clue)
        assert output.shape == (1, num_samples) and output.isfinite().all()


@EVERY
@torch.no_grad()
def test_the_length_of_an_enrollment_alone_is_what_counts_of_a_padded_one(kind):
    network, enrollment = small(kind), noise(2, 6000, seed=2)
    padded = network.clue(enrollment, torch.tensor([6000, 2600]))
    for row, length in enumerate((6000, 2600)):
        alone = network.clue(enrollment[row : row + 1, :length])
        torch.testing.assert_close(padded[row].embedding, alone.embedding, rtol=1e-4, atol=1e-5)
        if alone.frames is not None:
            assert int(padded[row].num_frames) == alone.frames.shape[2]
            ours = padded[row].frames[..., : alone.frames.shape[2]]
            torch.testing.assert_close(ours, alone.frames, rtol=1e-4, atol=1e-5)


@EVERY
@torch.no_grad()
def test_more_enrollment_is_the_mean_embedding_and_all_frames(kind):
    network = small(kind)
    one, other = network.clue(noise(2, 4000, seed=2)), network.clue(noise(2, 6000, seed=3))
    joined = network.join([one, other], [1.0, 3.0])
    torch.testing.assert_close(joined.embedding, 0.25 * one.embedding + 0.75 * other.embedding)
    if one.frames is None:
        assert joined.frames is None
        return
    assert torch.equal(joined.frames, torch.cat([one.frames, other.frames], 2))
    assert joined.num_frames.tolist() == [one.frames.shape[2] + other.frames.shape[2]] * 2


@EVERY
@torch.no_grad()
def test_blind_outputs_come_where_they_are_asked_for_and_no_clue_changes_them(kind):
    mixture = noise(2, 3000)
    network = small(kind, num_blind=2)
    clues = [network.clue(noise(4, 4000, seed=seed)) for seed in (2, 3)]
    outputs = [network(mixture, clue) for clue in clues]
    assert outputs[0].blind.shape == (2, 2, 3000)
    assert torch.equal(outputs[0].blind, outputs[1].blind)
    assert not torch.equal(outputs[0].estimates, outputs[1].estimates)
    network = small(kind, num_blind=0)
    assert network(mixture, network.clue(noise(2, 4000))).blind is None


@NAMES
def test_numbers_of_blocks_that_do_not_fit_and_an_unknown_conditioning_are_refused(name):
    kind = (name, next(iter(load_module("models.extractors", name).SMALL)))
    with pytest.raises(ConfigError, match="num_shared: expected 0 to 2 of 3 blocks, got 3"):
        small(kind, num_blocks=3, num_shared=3)
    with pytest.raises(ConfigError, match="num_shared: expected 0 to 2 of 3 blocks, got -1"):
        small(kind, num_blocks=3, num_shared=-1)
    with pytest.raises(ConfigError, match="enrollment_blocks: expected 0 to 1 shared blocks, got 2"):
        small(kind, num_shared=1, enrollment_blocks=2)
    with pytest.raises(ConfigError, match="conditioning: expected one of pooled, frames, both, got 'name'"):
        small(kind, conditioning="name")
