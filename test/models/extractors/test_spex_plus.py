"""SpEx+ has the published size."""

import pytest
import torch
from support.plain_spex_plus import PlainSpexPlus
from support.same_weights import copy_weights

from zspex_toolkit.models.extractors.spex_plus import SpexPlus

SMALL = {
    "num_filters": 8,
    "kernel_sizes": (20, 80, 160),
    "stride": 10,
    "bottleneck": 6,
    "hidden": 12,
    "num_blocks": 3,
    "num_stacks": 2,
    "embedding_dim": 5,
}


def full_size(num_speakers, **options):
    with torch.device("meta"):  # nothing is computed
        return SpexPlus(num_speakers, **options)


@pytest.mark.parametrize("causal", [False, True])
def test_the_full_size_has_11138734_parameters_for_101_speakers(causal):
    assert sum(p.numel() for p in full_size(num_speakers=101, causal=causal).parameters()) == 11_138_734


def test_it_needs_35_ms_of_enrollment_and_sees_1020_frames_of_context():
    network = full_size(2)
    assert network.min_enrollment_samples == 280  # 35 ms at 8 kHz
    assert network.context_samples == 1020 * 10 + 160


def test_the_causal_network_waits_for_19_samples_and_the_other_for_all():
    assert (full_size(2, causal=True).latency_samples, full_size(2).latency_samples) == (19, None)


@pytest.mark.parametrize("num_samples", [1, 20, 87, 403])
def test_it_computes_what_is_written_down_line_by_line(num_samples):
    torch.manual_seed(0)
    plain = PlainSpexPlus(4, **SMALL).train()
    plain(torch.randn(2, 60), torch.randn(2, 600))  # batch statistics
    for parameter in plain.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    network = SpexPlus(4, speaker_hidden=SMALL["hidden"], **SMALL)
    copy_weights(plain, network)
    mixture, enrollment = torch.randn(2, num_samples), torch.randn(2, 333)
    clue = network.eval().clue(enrollment)
    output = (*network(mixture, clue)[:2], clue.embedding)
    for ours, theirs in zip(output, plain.eval()(mixture, enrollment), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.detach().abs().max()))
