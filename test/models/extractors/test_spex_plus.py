"""SpEx+ has the published size."""

import pytest
import torch

from zspex_toolkit.models.extractors.spex_plus import SpexPlus


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
