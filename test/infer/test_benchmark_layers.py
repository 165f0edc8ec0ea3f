"""The two ways of every formulation give one result, and both are timed."""

import pytest
import torch

from zspex_toolkit.infer.benchmark_layers import CHANNELS, formulations, measure_formulations

ALL = list(formulations())


@pytest.mark.parametrize("one", ALL, ids=[one.name for one in ALL])
def test_both_ways_give_the_same(one):
    torch.manual_seed(0)
    frames = torch.randn(2, 50, CHANNELS)
    torch.testing.assert_close(one.ours(frames), one.plain(frames), rtol=1e-4, atol=1e-4)


def test_every_formulation_is_timed_beside_its_alternative():
    measured = measure_formulations(num_runs=1)
    assert list(measured) == [f"{one.name} / {one.plain_name}" for one in ALL]
    assert all(ours > 0 and plain > 0 for ours, plain in measured.values())
