import math

import pytest
import torch

from zspex_toolkit.signal.front_end_config import WINDOWS
from zspex_toolkit.signal.mel import lifted_cosine_transform, mel_filters, mel_scale, window_function


def test_mel_of_a_thousand_hertz_is_a_thousand():
    assert mel_scale(torch.tensor(1000.0)).item() == pytest.approx(1000, abs=0.02)


def test_windows_have_their_known_values_in_the_middle_and_at_the_ends():
    ends_and_middle = {name: window_function(name, 401)[[0, 200, 400]].tolist() for name in WINDOWS}
    assert ends_and_middle == {
        "povey": pytest.approx([0, 1, 0]),
        "hamming": pytest.approx([0.08, 1, 0.08]),
        "hanning": pytest.approx([0, 1, 0]),
        "rectangular": [1, 1, 1],
        "sine": pytest.approx([0, 1, 0]),
        "blackman": pytest.approx([0, 1, 0], abs=1e-12),
    }


def test_povey_is_hann_to_the_power_of_085():
    assert torch.allclose(window_function("povey", 400), window_function("hanning", 400) ** 0.85)


def test_an_unknown_window_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"expected one of povey, hamming, .*, got 'kaiser'"):
        window_function("kaiser", 400)


def test_between_the_first_and_the_last_centre_the_triangles_add_up_to_one():
    filters = mel_filters(23, fft_size=512, fs=16000, low_hz=20, high_hz=8000)
    mel = mel_scale(torch.arange(257, dtype=torch.float64) * 16000 / 512)
    low, high = mel_scale(torch.tensor(20.0)), mel_scale(torch.tensor(8000.0))
    width = (high - low) / 24
    inside = (mel > low + width) & (mel < high - width)
    assert torch.allclose(filters.sum(dim=1)[inside], torch.ones(int(inside.sum()), dtype=torch.float64), atol=1e-5)


def test_the_nyquist_bin_has_no_weight_as_in_kaldi():
    assert not mel_filters(23, fft_size=512, fs=16000, low_hz=20, high_hz=8000)[256].any()


def test_filters_too_narrow_for_the_spectrum_are_refused_with_the_way_out():
    with pytest.raises(
        ValueError, match=r"num_mel_bins: 128 filters .* too narrow .* use fewer filters or longer frames"
    ):
        mel_filters(128, fft_size=256, fs=8000, low_hz=20, high_hz=4000)


def test_the_cosine_transform_is_orthonormal_without_lifter():
    matrix = lifted_cosine_transform(23, 23, lifter=0)
    assert torch.allclose(matrix.T @ matrix, torch.eye(23, dtype=torch.float64), atol=1e-12)


def test_the_lifter_multiplies_the_eleventh_cepstrum_by_twelve():
    ratio = lifted_cosine_transform(23, 13, lifter=22)[0] / lifted_cosine_transform(23, 13, lifter=0)[0]
    assert ratio[[0, 11]].tolist() == pytest.approx([1, 1 + 11 * math.sin(math.pi / 2)])
