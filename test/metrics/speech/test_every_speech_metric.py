"""The contract of a measure of extracted speech: two signals and a rate to a number, or an error."""

import inspect

import numpy as np
import pytest

from zspex_toolkit.registry import available, load

FS = 8000


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Two seconds of noise whose level goes up and down like syllables, float32."""
    time = np.arange(2 * FS) / FS
    noise = np.random.default_rng(0).standard_normal(len(time))
    return (0.1 * noise * (0.1 + np.sin(2 * np.pi * 2 * time) ** 2)).astype(np.float32)


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return 0.05 * np.random.default_rng(1).standard_normal(2 * FS).astype(np.float32)


@pytest.mark.parametrize("name", available("metrics.speech"))
class TestEverySpeechMetric:
    def test_the_function_has_the_name_of_its_file_and_the_arguments_of_all(self, name):
        metric = load("metrics.speech", name)
        assert metric.__name__ == name
        assert list(inspect.signature(metric).parameters) == ["estimate", "reference", "fs"]
        assert inspect.signature(metric).parameters["fs"].kind is inspect.Parameter.KEYWORD_ONLY

    def test_it_is_documented_with_source_and_worked_example(self, name):
        assert all(part in load("metrics.speech", name).__doc__ for part in ("Args:", "Raises:", ">>>"))

    def test_less_noise_is_better(self, name, speech, noise):
        metric = load("metrics.speech", name)
        values = [metric(speech + gain * noise, speech, fs=FS) for gain in (2.0, 0.5, 0.1)]
        assert all(type(value) is float for value in values)
        assert values[0] < values[1] < values[2]

    def test_the_sign_and_a_moderate_gain_do_not_matter(self, name, speech, noise):
        metric = load("metrics.speech", name)
        assert metric(-0.5 * (speech + noise), speech, fs=FS) == pytest.approx(
            metric(speech + noise, speech, fs=FS), abs=0.02
        )

    @pytest.mark.parametrize("silent", ["estimate", "reference"])
    def test_silence_is_an_error_and_not_a_number(self, name, speech, silent):
        signals = {"estimate": speech, "reference": speech} | {silent: np.zeros_like(speech)}
        with pytest.raises(ValueError, match=f"the {silent} is silent"):
            load("metrics.speech", name)(**signals, fs=FS)

    def test_different_lengths_are_an_error(self, name, speech):
        with pytest.raises(ValueError, match=r"one length \(T,\), got shapes \(15999,\) and \(16000,\)"):
            load("metrics.speech", name)(speech[1:], speech, fs=FS)
