"""wsj0-2mix's mixtures: compared with the steps of its script written down here once more, by themselves."""

import json

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from zspex_toolkit.corpora.support.wsj0_mixing import Wsj0Mixture, Wsj0Utterance, mix, signals_of, to_recipe
from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.librimix import resampled_length


@pytest.fixture
def files(tmp_path):
    """Two utterances of odd lengths and very different levels."""
    for name, num_samples, level in (("a", 20001, 0.02), ("b", 16003, 0.2)):
        samples = level * np.random.default_rng(num_samples).standard_normal(num_samples)
        soundfile.write(tmp_path / f"{name}.wav", np.clip(samples, -0.99, 0.99), 16000, subtype="PCM_16")
    return str(tmp_path / "a.wav"), str(tmp_path / "b.wav")


def mixture(files, *, fs=8000, mode="min", levels=(None, None), snr_db=(1.25, -1.25)) -> Wsj0Mixture:
    return Wsj0Mixture("a_1.25_b_-1.25", files, snr_db, levels, fs, mode)


@pytest.mark.parametrize("fs", [8000, 16000])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_every_sample_is_that_of_an_independent_computation(files, fs, mode):
    """Resample, divide by the root of the power at 8 kHz, 10^(snr/20), fit, sum, peak to 0.9, round to 16 bits."""
    speech = [soundfile.read(path)[0] for path in files]
    at_8k = [resample_poly(one, 1, 2) for one in speech]
    signals = []
    for one, low, snr in zip(speech, at_8k, (1.25, -1.25), strict=True):
        signals.append((low if fs == 8000 else one) / np.sqrt(np.sum(low**2) / len(low)) * 10 ** (snr / 20))
    length = {"min": min, "max": max}[mode](map(len, signals))
    one, two = (np.concatenate([signal[:length], np.zeros(max(0, length - len(signal)))]) for signal in signals)
    gain = 0.9 / max(np.abs(one + two).max(), np.abs(one).max(), np.abs(two).max())
    found = mix(mixture(files, fs=fs, mode=mode))
    for name, samples in {"mix": one + two, "s1": one, "s2": two}.items():
        assert found[name].dtype == np.int16
        assert np.array_equal(found[name], np.round(2**15 * gain * samples)), name


def test_given_levels_replace_the_mean_power(files):
    """A level four times as high halves the amplitude: 6 dB less."""
    powers = [float(np.mean(resample_poly(soundfile.read(path)[0], 1, 2) ** 2)) for path in files]
    plain, other = mix(mixture(files)), mix(mixture(files, levels=(powers[0], 4 * powers[1])))
    ratios = [np.std(each["s1"].astype(float)) / np.std(each["s2"].astype(float)) for each in (plain, other)]
    assert ratios[1] / ratios[0] == pytest.approx(2.0, rel=1e-3)


def test_an_enrollment_is_resampled_and_else_as_it_is(files):
    recipe = to_recipe(Wsj0Utterance("a", files[0], 8000))
    expected = np.round(2**15 * resample_poly(soundfile.read(files[0])[0], 1, 2))
    assert np.array_equal(signals_of(recipe)["enrollment"], expected)
    assert len(expected) == resampled_length(20001, 8000) == 10001


def test_a_recipe_says_it_all(files):
    one, again = mix(mixture(files)), signals_of(to_recipe(mixture(files)))
    assert all(np.array_equal(one[name], again[name]) for name in ("mix", "s1", "s2"))
    assert json.loads(to_recipe(mixture(files)))["snr_db"] == [1.25, -1.25]


def test_a_missing_recording_is_named(files, tmp_path):
    with pytest.raises(AudioError, match=f"^{tmp_path}/c.wav: no such file or directory$"):
        mix(mixture((files[0], str(tmp_path / "c.wav"))))
