"""Windowed cosines as a start of the coders, and networks that begin by giving out the mixture."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.extractors.spex_plus import SpexPlus
from zspex_toolkit.models.extractors.zspex import ZSpex
from zspex_toolkit.nn.multi_scale.coder_start import start_as_cosines, windowed_cosines
from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder
from zspex_toolkit.signal.si_sdr import si_sdr

SMALL = {"kernel_sizes": (16, 32), "stride": 8, "bottleneck": 6, "hidden": 8, "num_blocks": 2, "num_stacks": 1}
SMALL |= {"embedding_dim": 4, "speaker_hidden": 7}


def coders(num_filters: int, *, causal: bool = False):
    sizes = (num_filters, (16, 32), 8)
    encoder, decoder = SpeechEncoder(*sizes, causal=causal), SpeechDecoder(*sizes, causal=causal)
    start_as_cosines(encoder, decoder)
    return encoder, decoder


def test_the_cosines_are_orthonormal_but_for_the_window():
    size = 12
    window = torch.sin((torch.arange(size) + 0.5) * torch.pi / size)
    unwindowed = windowed_cosines(size, size) / window
    torch.testing.assert_close(unwindowed @ unwindowed.T, torch.eye(size), atol=1e-5, rtol=0)


@pytest.mark.parametrize("causal", [False, True])
def test_with_both_signs_of_every_cosine_each_scale_gives_the_signal_back(causal):
    encoder, decoder = coders(64, causal=causal)
    signal = torch.randn(2, 400)
    inner = slice(32, 360)  # covered by as many frames of the long kernel as overlap
    for scale in decoder(encoder(signal), 400).unbind(1):
        torch.testing.assert_close(scale[:, inner], signal[:, inner], atol=1e-5, rtol=0)


def test_filters_beyond_twice_the_kernel_keep_their_start_and_are_ignored_by_the_decoder():
    torch.manual_seed(0)
    plain = SpeechEncoder(40, (16, 32), 8)
    torch.manual_seed(0)
    encoder, decoder = SpeechEncoder(40, (16, 32), 8), SpeechDecoder(40, (16, 32), 8)
    start_as_cosines(encoder, decoder)
    torch.testing.assert_close(encoder.filters[0].weight[32:], plain.filters[0].weight[32:], atol=0, rtol=0)
    assert decoder.filters[0].weight[32:].abs().max() == 0


def test_with_fewer_filters_low_frequencies_come_back_and_high_ones_do_not():
    encoder, decoder = coders(16)
    time = torch.arange(400) / 8000
    for frequency, least, most in ((500, 20, 200), (3500, -200, -10)):
        signal = torch.sin(2 * torch.pi * frequency * time)[None]
        assert least < si_sdr(decoder(encoder(signal), 400)[:, 0, 32:360], signal[:, 32:360]) < most


@pytest.mark.parametrize(("network", "least"), [(SpexPlus, 20), (ZSpex, 1)])  # the exchange of scales adds to masks
def test_an_untrained_network_that_starts_at_the_mixture_gives_it_out(network, least):
    torch.manual_seed(0)
    mixture, enrollment = torch.randn(2, 800), torch.randn(2, 800)
    gains = {}
    for start in ("random", "mixture"):
        extractor = network(3, num_filters=64, start=start, **SMALL).eval()
        with torch.no_grad():
            output = extractor.extract(mixture, extractor.clue(enrollment))
        gains[start] = si_sdr(output[:, 32:760], mixture[:, 32:760]).min()
    assert gains["mixture"] > least > 0 > gains["random"]


def test_another_start_is_refused():
    with pytest.raises(ConfigError, match="start: expected one of random, mixture, got 'zero'"):
        SpexPlus(3, num_filters=8, start="zero", **SMALL)
