"""Another voice: what is asked of formants and pitch is what is measured in the output; all else stays."""

import builtins

import numpy as np
import pytest
from scipy.signal import lfilter, welch

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.errors import UserError
from zspex_toolkit.signal.voice_change import VoiceFactors, change_voice, require_praat, voiced_pitch

FS = 16000
SAME = VoiceFactors(1.0, 1.0, 1.0)


@pytest.fixture(autouse=True)
def _praat(request):
    if "without_praat" not in request.fixturenames:
        pytest.importorskip("parselmouth", reason="needs the extra 'voices' (praat-parselmouth)")


@pytest.fixture
def without_praat(monkeypatch):
    importing = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "parselmouth":
            raise ModuleNotFoundError(name)
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)


def vowel(formants_hz, pitch_hz, seconds=1.0) -> np.ndarray:
    """Pulses of the pitch, a number or one for each sample, through resonances, as they sound outside the mouth."""
    phase = np.cumsum(np.broadcast_to(pitch_hz, int(seconds * FS)) / FS)
    samples = np.diff(np.floor(phase), n=2, prepend=[0.0, 0.0])
    for hz in formants_hz:
        radius = np.exp(-np.pi * 80 / FS)
        samples = lfilter([1.0], [1.0, -2 * radius * np.cos(2 * np.pi * hz / FS), radius**2], samples)
    return 0.3 * samples / np.abs(samples).max()


def measured_formants(samples: np.ndarray, ceiling_hz: float, number: int) -> list[float]:
    """Medians of the first formants, by Praat's Burg analysis."""
    sound = require_praat().Sound(samples, FS)
    found = sound.to_formant_burg(max_number_of_formants=number, maximum_formant=ceiling_hz)
    times = np.arange(0.2, sound.duration - 0.2, 0.01)
    return [np.nanmedian([found.get_value_at_time(each, time) for time in times]) for each in range(1, number + 1)]


@pytest.mark.parametrize("formants", [0.85, 1.0, 1.2])
@pytest.mark.parametrize("pitch", [0.7, 1.0, 1.4])
def test_formants_and_pitch_move_apart_by_what_was_asked(formants, pitch):
    source = vowel([600, 1400, 2600], 140)
    changed = change_voice(source, FS, VoiceFactors(formants, pitch, 1.0), seed=0)
    assert np.median(voiced_pitch(changed, FS)) == pytest.approx(140 * pitch, rel=0.01)
    before = np.array(measured_formants(source, 3600, 3))
    after = np.array(measured_formants(changed, 3600 * formants, 3))
    assert after[1:] == pytest.approx(before[1:] * formants, rel=0.03)
    assert after[0] == pytest.approx(before[0] * formants, abs=140 * pitch)  # drawn to the nearest harmonic


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_the_range_of_the_pitch_is_multiplied_about_its_median(factor):
    glide = vowel([600, 1400, 2600], np.linspace(110, 150, FS))
    changed = change_voice(glide, FS, VoiceFactors(1.0, 1.0, factor), seed=0)
    before, after = (np.quantile(voiced_pitch(samples, FS)[5:-5], [0.1, 0.5, 0.9]) for samples in (glide, changed))
    assert after[1] == pytest.approx(before[1], rel=0.01)
    assert after[2] - after[0] == pytest.approx(factor * (before[2] - before[0]), rel=0.05)


@pytest.mark.parametrize("formants", [0.82, 1.22])
def test_speech_stays_as_long_and_as_loud_at_the_same_times(formants):
    speech = np.diff(synthetic_speech("ann", "f", "a", seconds=1.03, fs=FS, seed=0), prepend=np.zeros(4001))[1:]
    changed = change_voice(speech, FS, VoiceFactors(formants, 1.3, 1.2), seed=0)
    assert changed.shape == speech.shape and np.isfinite(changed).all()
    assert np.std(changed) == pytest.approx(np.std(speech), rel=1e-6)
    assert abs(changed.mean()) < 1e-6
    assert np.mean(changed[:3500] ** 2) < 1e-4 * np.mean(changed[4000:] ** 2)


def test_lower_formants_leave_no_gap_below_half_the_rate(noise):
    hiss = noise(FS)
    changed = change_voice(hiss, FS, VoiceFactors(0.82, 1.0, 1.0), seed=0)
    power = np.abs(np.fft.rfft(changed)) ** 2  # a bin is 1 Hz
    assert power[7000:7900].mean() == pytest.approx(power[2000:5000].mean(), rel=0.5)


@pytest.mark.parametrize("num_samples", [1, 2, 37, 160, 799, 1600])
@pytest.mark.parametrize("formants", [0.85, 1.2])
def test_the_shortest_recordings_keep_their_length(num_samples, formants, noise):
    for samples in (noise(num_samples), vowel([600], 200)[:num_samples]):
        changed = change_voice(samples, FS, VoiceFactors(formants, 1.3, 1.0), seed=0)
        assert changed.shape == (num_samples,) and np.isfinite(changed).all()
        assert np.std(changed) == pytest.approx(np.std(samples), rel=1e-6)


def test_silence_stays_silence():
    assert not change_voice(np.zeros(FS), FS, VoiceFactors(0.85, 0.7, 1.0), seed=0).any()


def test_noise_has_no_pitch_and_gets_another_colour(noise):
    """A resonance of noise at 2 kHz moves to 2.4 kHz."""
    hiss = lfilter([1.0], [1.0, -1.9 * np.cos(np.pi / 4), 0.95**2], noise(FS))
    assert len(voiced_pitch(hiss, FS)) == 0
    changed = change_voice(hiss, FS, VoiceFactors(1.2, 0.7, 1.0), seed=0)
    peaks_hz = [welch(samples, FS, nperseg=256)[1].argmax() * FS / 256 for samples in (hiss, changed)]
    assert peaks_hz == pytest.approx([2000, 2400], abs=130)


def test_the_seed_alone_decides_the_samples(noise):
    first, again, other = (change_voice(noise(FS), FS, VoiceFactors(1.2, 1.0, 1.0), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.allclose(first, other)


def test_pitch_outside_the_band_is_not_found():
    assert np.median(voiced_pitch(vowel([600], 200), FS)) == pytest.approx(200, rel=0.01)
    assert (voiced_pitch(vowel([600], 200), FS, band_hz=(60, 150)) < 150).all()


@pytest.mark.usefixtures("without_praat")
def test_praat_that_is_not_installed_is_said():
    with pytest.raises(UserError, match=r"praat-parselmouth is not installed; pip install 'zspex_toolkit\[voices\]'"):
        change_voice(np.zeros(FS), FS, SAME, seed=0)
