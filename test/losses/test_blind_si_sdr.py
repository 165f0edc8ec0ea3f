import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses.blind_si_sdr import blind_si_sdr


def speech(mixtures=2, sources=2, length=800, seed=0):
    return torch.randn(mixtures, sources, length, generator=torch.Generator().manual_seed(seed))


def test_the_order_of_outputs_does_not_matter_and_each_mixture_has_its_own():
    sources = speech()
    swapped = torch.stack([sources[0].flip(0), sources[1]])
    assert float(blind_si_sdr(swapped, sources)) == pytest.approx(-30, abs=0.01)


def test_one_speaker_in_both_outputs_is_worse_than_one_in_each():
    sources = speech()
    one = sources[:, :1].expand(-1, 2, -1) + 0.1 * speech(seed=1)
    each = sources + 0.1 * speech(seed=1)
    assert float(blind_si_sdr(each, sources)) < float(blind_si_sdr(one, sources)) - 10


def test_an_output_that_no_speaker_is_left_for_is_to_be_silent():
    sources = speech(sources=1)
    silent = torch.cat([sources, 0 * sources], 1)
    loud = torch.cat([sources, speech(sources=1, seed=1)], 1)
    assert float(blind_si_sdr(silent, sources)) == pytest.approx(-15, abs=0.01)
    assert float(blind_si_sdr(loud, sources)) == pytest.approx(0, abs=0.5)


def test_of_three_speakers_two_outputs_take_those_they_fit_best():
    sources = speech(sources=3)
    assert float(blind_si_sdr(sources[:, [2, 0]], sources)) == pytest.approx(-30, abs=0.01)


def test_a_silent_row_of_sources_is_no_way_out_of_separating():
    sources = speech(sources=3)
    sources[:, 1] = 0
    nothing = 0 * sources[:, :2] + 1e-12 * speech()
    assert float(blind_si_sdr(nothing, sources)) > float(blind_si_sdr(sources[:, [0, 2]], sources)) + 20


def test_gradients_of_silence_are_finite():
    sources = speech(sources=1)
    blind = torch.zeros(2, 2, 800, requires_grad=True)
    blind_si_sdr(blind, sources).backward()
    assert blind.grad.isfinite().all()


def test_a_floor_above_zero_is_refused():
    with pytest.raises(ConfigError, match=r"expected above and below 0, got 30\.0, 3"):
        blind_si_sdr(speech(), speech(), floor_db=3)
