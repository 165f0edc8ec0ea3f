"""Spectra go forth and back exactly, frame by frame as the signal comes in, and features know no level."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.time_frequency.spectrum import Spectrum, features


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("fs", [8000, 16000, 24000, 48000])
@pytest.mark.parametrize("overlap", [2, 4])
def test_the_way_back_gives_the_signal_at_any_rate_and_length(fs, overlap):
    window = 32 * fs // 1000
    spectrum = Spectrum(window, window // overlap)
    signal = noise(2, 3 * window)
    for num_samples in (1, 2, spectrum.hop - 1, spectrum.hop, spectrum.hop + 1, window, 2 * window + 1, 3 * window):
        spectra = spectrum(signal[:, :num_samples])
        assert spectra.shape == (spectrum.num_frames(num_samples), 2, window // 2 + 1)
        back = spectrum.inverse(spectra, num_samples)
        torch.testing.assert_close(back, signal[:, :num_samples], rtol=0, atol=2e-6)


def test_every_length_from_one_on_goes_forth_and_back():
    spectrum, signal = Spectrum(16, 8), noise(1, 70)
    for num_samples in range(1, 71):
        back = spectrum.inverse(spectrum(signal[:, :num_samples]), num_samples)
        torch.testing.assert_close(back, signal[:, :num_samples], rtol=0, atol=2e-6)


def test_a_frame_is_the_transform_of_its_window():
    spectrum, signal = Spectrum(8, 4), noise(1, 12)
    window = torch.hann_window(8).sqrt()
    framed = torch.nn.functional.pad(signal, (4, 4))  # frame 1 begins with sample 0
    for frame in range(4):
        expected = torch.fft.rfft(framed[0, 4 * frame : 4 * frame + 8] * window)
        torch.testing.assert_close(spectrum(signal)[frame, 0], expected)


def test_a_frame_is_complete_as_soon_as_its_hop_is():
    spectrum, signal = Spectrum(16, 4), noise(1, 40)
    whole = spectrum(signal)
    for count in range(1, 11):
        torch.testing.assert_close(spectrum(signal[:, : 4 * count])[:count], whole[:count])
    changed = signal.clone()
    changed[:, 20:] += 1  # the sixth hop
    assert torch.equal(spectrum(changed)[:5], whole[:5])
    assert not torch.equal(spectrum(changed)[5], whole[5])


def test_pieces_with_the_past_before_them_give_the_frames_of_the_whole():
    spectrum, signal = Spectrum(16, 4), noise(1, 40)
    padded = torch.nn.functional.pad(signal, (12, 0))
    pieces = [spectrum.analyse(padded[:, begin : begin + 20]) for begin in range(0, 40, 8)]  # two hops each
    torch.testing.assert_close(torch.cat(pieces), spectrum(signal)[:10])


def test_numbers_of_frames_come_for_many_signals_at_once():
    spectrum = Spectrum(16, 4)
    lengths = torch.arange(1, 50)
    assert spectrum.num_frames(lengths).tolist() == [spectrum.num_frames(length) for length in range(1, 50)]


def test_half_precision_around_it_changes_nothing():
    spectrum, signal = Spectrum(16, 4), noise(1, 40)
    with torch.autocast("cpu", torch.bfloat16):
        back = spectrum.inverse(spectrum(signal), 40)
    torch.testing.assert_close(back, signal, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("window", "hop"), [(16, 16), (15, 5), (16, 5), (16, 0), (0, 4)])
def test_windows_that_do_not_add_up_are_refused(window, hop):
    with pytest.raises(ConfigError, match=f"window: expected an even multiple of the hop \\({hop} samples\\)"):
        Spectrum(window, hop)


@pytest.mark.parametrize("gain", [1e-3, 1e3])
def test_features_are_the_same_at_any_level(gain):
    spectrum, signal = Spectrum(16, 4), noise(2, 200)
    expected = features(spectrum(signal), signal.square().mean(1).sqrt())
    louder = features(spectrum(gain * signal), (gain * signal).square().mean(1).sqrt())
    torch.testing.assert_close(louder, expected, rtol=1e-4, atol=1e-4)


def test_features_worked_by_hand():
    spectra = torch.tensor([[[3 + 4j, 0j]]])  # one frame of one signal, two bins; magnitudes 5 and 0
    shown = features(spectra, torch.tensor([2.0]))
    half = 2.5**-0.7  # of the magnitude at unit level
    expected = torch.tensor([[1.5 * half, 2.0 * half, 0.2 * 1.832581], [0.0, 0.0, -1.842068]])
    torch.testing.assert_close(shown[0, 0], expected, rtol=1e-4, atol=1e-4)


def test_features_of_silence_are_finite():
    assert features(torch.zeros(3, 2, 9, dtype=torch.complex64), torch.zeros(2)).isfinite().all()


def test_a_level_may_be_that_of_each_frame():
    spectra = torch.view_as_complex(noise(3, 2, 9, 2))
    levels = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    shown = features(spectra, levels)
    for frame in range(3):
        torch.testing.assert_close(shown[frame], features(spectra[frame : frame + 1], levels[frame])[0])
