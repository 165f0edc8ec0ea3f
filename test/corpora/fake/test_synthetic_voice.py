"""The made-up speech of the fake trees."""

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech


def band_levels(speech: np.ndarray) -> np.ndarray:
    """Mean log spectrum in 24 bands of 333 Hz: enough to tell voices apart."""
    frames = np.lib.stride_tricks.sliding_window_view(speech, 480)[::240] * np.hanning(480)
    power = np.abs(np.fft.rfft(frames))[:, :240].reshape(len(frames), 24, 10) ** 2
    return np.log(power.mean(axis=2) + 1e-6).mean(axis=0)


def say(speaker: str, utterance: str) -> np.ndarray:
    return synthetic_speech(speaker, "mf"[int(speaker) % 2], utterance, seconds=2.0, fs=16000, seed=0)


def test_the_length_is_exact_and_nothing_clips():
    speech = synthetic_speech("1", "f", "a", seconds=1.5, fs=16000, seed=0)
    assert speech.shape == (24000,)
    assert speech.dtype == np.float32
    assert 0.3 < np.abs(speech).max() < 0.5


def test_an_utterance_is_the_same_every_time_and_another_one_is_not():
    assert np.array_equal(say("1", "a"), say("1", "a"))
    assert not np.array_equal(say("1", "a"), say("1", "b"))


def test_another_seed_is_another_voice():
    one, two = (synthetic_speech("1", "f", "a", seconds=0.5, fs=16000, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, two)


def test_a_linear_classifier_tells_eight_voices_apart_from_one_second():
    sets = {"train": ([], []), "test": ([], [])}
    for spk in "12345678":
        for number in range(8):
            levels, speakers = sets["test" if number % 4 == 0 else "train"]
            speech = say(spk, str(number))
            levels += [band_levels(speech[start : start + 16000]) for start in (0, 8000, 16000)]
            speakers += [spk] * 3
    assert LinearDiscriminantAnalysis().fit(*sets["train"]).score(*sets["test"]) > 0.9
