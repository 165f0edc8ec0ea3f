"""The band-split extractor: masks that start at one, bands of any rate, every recurrence, and a stream of chunks.

What it shares with its family is in test/models/test_time_frequency_extractor.py.
"""

import pytest
import torch

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.models.extractors.band_split import SMALL, BandSplitExtractor


def noise(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small(kind="both", **options):
    torch.manual_seed(0)
    return BandSplitExtractor(3, **SMALL[kind] | options).eval()


@pytest.mark.parametrize("kind", SMALL)
@torch.no_grad()
def test_untrained_it_gives_out_about_the_mixture(kind):
    network, mixture = small(kind), noise(2, 4000)
    output = network(mixture, network.clue(noise(2, 4000, seed=2)))
    assert (output.estimates[:, 0] - mixture).square().mean() < 0.01 * mixture.square().mean()
    if output.blind is not None:  # blind outputs share it
        assert (output.blind.sum(1) - mixture).square().mean() < 0.01 * mixture.square().mean()


@pytest.mark.parametrize("recurrence", ["sru", "gru", "lstm"])
@torch.no_grad()
def test_every_recurrence_streams(recurrence):
    network = small("causal", recurrence=recurrence)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, parameter.detach().mean(), 0.2)
    mixture, clue = noise(2, 3000), network.clue(noise(4, 4000, seed=2))
    offline, stream = network.extract(mixture, clue), network.stream(clue)
    parts, given = [], 0
    for chunk in mixture.split([1, 700, 0, 256, 1500, 543], 1):
        given += chunk.shape[1]
        parts.append(stream.push(chunk))
        assert given - sum(part.shape[1] for part in parts) <= network.latency_samples
    parts.append(stream.finish())
    assert stream.finish().shape == (4, 0)
    torch.testing.assert_close(torch.cat(parts, 1), offline, rtol=1e-4, atol=1e-4 * float(offline.abs().max()))


@torch.no_grad()
def test_what_a_stream_keeps_does_not_grow():
    network = small("causal")
    stream = network.stream(network.clue(noise(1, 4000)))

    def kept():
        tensors = [stream._pending, stream._tail]
        for past in stream._memory.values():
            tensors += past
        return sum(tensor.numel() for tensor in tensors)

    stream.push(noise(1, 4096))
    first = kept()
    for seed in range(5):
        stream.push(noise(1, 4096, seed=seed))
    assert kept() == first


def test_a_stream_needs_a_causal_network():
    network = small()
    assert network.latency_samples is None
    with pytest.raises(UserError, match="expected a causal network"):
        network.stream(network.clue(noise(1, 4000)))


@pytest.mark.parametrize(
    ("fs", "window"), [(8000, 256), (11025, 352), (16000, 512), (22050, 704), (44100, 1412), (48000, 1536)]
)
def test_windows_and_bands_follow_the_rate(fs, window):
    network = small(fs=fs)
    assert network.spectrum.window == network.min_enrollment_samples == window
    assert sum(network.split.widths) == window // 2 + 1 and len(network.split.widths) == SMALL["both"]["num_bands"]


def test_only_parts_that_are_used_are_there():
    names = {kind: {name.split(".")[0] for name, _ in small(kind).named_parameters()} for kind in SMALL}
    assert names["both"] - names["pooled"] == {"attention", "blind_mask"}
    assert names["both"] - names["frames"] == {"scalings"}


def test_the_names_of_its_weights_stay():
    """Weights in use have them: a new name would make old files useless."""
    network = small(num_blocks=2, num_shared=1)
    assert [name for name, _ in network.named_children()] == [
        *("spectrum", "split", "blocks", "pooling", "speaker_classifier"),
        *("scalings", "attention", "mask", "blind_mask"),
    ]
    assert [name for name in network.state_dict() if name.startswith("blocks.0")] == [
        f"blocks.0.{part}.{name}"
        for part in ("time.norm", "time.inner", "time.gate", "time.outer", "bands.norm", "bands.inner", "bands.outer")
        for name in ("weight", "bias")
    ]


def test_more_bands_than_pairs_of_bins_are_refused():
    with pytest.raises(ConfigError, match="num_bands: expected 1 to 64 for spectra of 129 bins, got 65"):
        small(fs=8000, num_bands=65)
