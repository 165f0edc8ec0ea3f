"""Tests of single measures of extracted speech: worked numbers and what each of them cannot measure."""

import builtins

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.metrics.speech.estoi import estoi
from zspex_toolkit.metrics.speech.pesq import pesq
from zspex_toolkit.metrics.speech.sdr import sdr
from zspex_toolkit.metrics.speech.si_sdr import si_sdr
from zspex_toolkit.metrics.speech.stoi import stoi

RNG = np.random.default_rng(0)
SPEECH = 0.1 * RNG.standard_normal(16000)
NOISE = RNG.standard_normal(16000)


def test_a_target_six_decibels_above_an_orthogonal_interferer():
    target, interferer = np.tile([1.0, 1, -1, -1], 4), 0.5 * np.tile([1.0, -1, 1, -1], 4)
    assert si_sdr(target + interferer, target, fs=8000) == pytest.approx(20 * np.log10(2), abs=1e-6)


def test_sdr_forgives_a_filter_and_si_sdr_does_not():
    filtered = np.convolve(SPEECH, [0.5, 0.8, -0.3])[:16000] + 0.01 * NOISE
    assert sdr(filtered, SPEECH, fs=8000) == pytest.approx(20.2, abs=0.5)  # energies 0.98 * 0.01 over 0.0001
    assert si_sdr(filtered, SPEECH, fs=8000) < 5


def test_sdr_is_si_sdr_where_no_filter_helps():
    estimate = SPEECH + 0.1 * NOISE  # white noise: a filter of 512 taps explains about 512 / 16000 of it
    assert sdr(estimate, SPEECH, fs=8000) == pytest.approx(si_sdr(estimate, SPEECH, fs=8000), abs=0.3)


def test_pesq_of_an_untouched_signal_is_the_best_there_is():
    pytest.importorskip("pesq")
    assert pesq(SPEECH, SPEECH, fs=8000) == pytest.approx(4.549, abs=0.001)  # P.862.1 of a raw score of 4.5
    assert pesq(SPEECH, SPEECH, fs=16000) == pytest.approx(4.644, abs=0.001)  # P.862.2


def test_pesq_without_speech_is_an_error():
    pytest.importorskip("pesq")
    click = np.zeros(16000)
    click[8000:8150] = NOISE[:150]  # a fiftieth of a second
    with pytest.raises(ValueError, match="PESQ says: No utterances detected"):
        pesq(click, click, fs=8000)
    with pytest.raises(ValueError, match=r"PESQ says: Buffer needs to be at least"):
        pesq(SPEECH[:500], SPEECH[:500], fs=8000)


def test_pesq_at_another_rate_is_refused():
    with pytest.raises(ConfigError, match="pesq: expected audio at 8000 or 16000 Hz, got 44100 Hz"):
        pesq(SPEECH, SPEECH, fs=44100)


def test_pesq_that_is_not_installed_is_said(monkeypatch):
    importing = builtins.__import__

    def without_pesq(name, *arguments, **options):
        if name == "pesq":
            raise ModuleNotFoundError(name)
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_pesq)
    with pytest.raises(UserError, match=r"not installed; pip install 'zspex_toolkit\[pesq\]'"):
        pesq(SPEECH, SPEECH, fs=8000)


@pytest.mark.parametrize("metric", [stoi, estoi])
@pytest.mark.parametrize("num_samples", [50, 1000, 2800])
def test_too_little_speech_for_intelligibility_is_an_error_and_not_a_tiny_number(metric, num_samples):
    with pytest.raises(ValueError, match=r"expected at least 0\.4 s of speech in the reference"):
        metric(SPEECH[:num_samples], SPEECH[:num_samples], fs=8000)
    assert metric(SPEECH[:3600], SPEECH[:3600], fs=8000) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("scale", [1e4, 1.0, 1e-3, 1e-4, 1e-6, 1e-12])
@pytest.mark.parametrize("ratio_db", [-20, 0, 40, 80])
def test_si_sdr_is_the_same_at_any_level_of_either_signal(scale, ratio_db):
    target, interferer = np.tile([1.0, 1, -1, -1], 4000), np.tile([1.0, -1, 1, -1], 4000)
    estimate = target + 10 ** (-ratio_db / 20) * interferer
    assert si_sdr(scale * estimate, target, fs=8000) == pytest.approx(ratio_db, abs=1e-6)
    assert si_sdr(-estimate, scale * target, fs=8000) == pytest.approx(ratio_db, abs=1e-6)
    assert si_sdr(scale * estimate, scale * target, fs=8000) == pytest.approx(ratio_db, abs=1e-6)


def test_si_sdr_of_a_perfect_estimate_is_finite():
    assert 250 < si_sdr(SPEECH, SPEECH, fs=8000) <= 300.1
