"""Augmentation changes what it is asked to change, and can be replayed."""

import numpy as np
import pytest
import torch

from zspex_toolkit.data.augment import AugmentConfig, AugmentedUtterances
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig


def augmented(voices, **options) -> AugmentedUtterances:
    waveforms = Waveforms(voices / "data" / "train", 16000)
    return AugmentedUtterances(waveforms, FrontEndConfig(), AugmentConfig(on_the_fly=True, **options))


@pytest.fixture
def recordings(tmp_path):
    """A folder of noise and one with a room: a direct sound and an echo."""
    write_audio(tmp_path / "noise" / "hiss.wav", 0.1 * rng_for(0, "hiss").standard_normal(20000).clip(-5, 5), 16000)
    room = np.zeros(800)
    room[[0, 799]] = 0.9, 0.5
    write_audio(tmp_path / "room" / "echo.wav", room, 16000)
    return tmp_path


def test_nothing_asked_gives_the_features_of_the_waveform(voices):
    utterances = augmented(voices)
    feats, spk = utterances.draw("anna-00", rng_for(0, "a"))
    expected, _ = FrontEnd()(torch.from_numpy(Waveforms(voices / "data" / "train", 16000)["anna-00"])[None])
    assert torch.equal(feats, expected[0]) and spk == "anna"


def test_the_same_generator_gives_the_same_features(voices, recordings):
    options = {"speeds": (0.9, 1.1), "noise_dir": recordings / "noise", "room_dir": recordings / "room"}
    utterances = augmented(voices, **options)
    first, again, other = (utterances.draw("anna-00", rng_for(0, name))[0] for name in ("a", "a", "b"))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_speakers_at_another_speed_count_as_others_only_if_asked(voices):
    assert augmented(voices, speeds=(0.9, 1.0)).speakers() == ["anna", "bert", "cleo", "dave"]
    apart = augmented(voices, speeds=(0.9, 1.0), speeds_are_speakers=True)
    assert apart.speakers()[:3] == ["anna", "anna@0.9", "bert"]
    assert {apart.draw("anna-00", rng_for(0, draw))[1] for draw in range(20)} == {"anna", "anna@0.9"}


def test_noise_has_the_level_that_was_asked_for(voices, recordings):
    options = {"noise_dir": recordings / "noise", "noise_probability": 1.0, "noise_snr_db": (10.0, 10.0)}
    utterances = augmented(voices, **options)
    clean = Waveforms(voices / "data" / "train", 16000)["anna-00"]
    noise = utterances._with_noise(clean, rng_for(0, "n")) - clean
    assert 10 * np.log10(np.mean(clean**2) / np.mean(noise**2)) == pytest.approx(10, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_the_fly": True, "speeds": (0.0,)}, "augment.speeds: expected factors between 0.1 and 10, got [0.0]"),
        ({"on_the_fly": True, "noise_probability": 1.5}, "noise_probability: expected a number from 0 to 1, got 1.5"),
        ({"speeds": (0.9, 1.1)}, "augment.speeds: needs augment.on_the_fly true; stored features are fixed"),
        ({"noise_dir": "n"}, "augment.noise_dir: needs augment.on_the_fly true; stored features are fixed"),
    ],
)
def test_settings_that_make_no_sense_are_one_clear_line(options, message):
    with pytest.raises(ConfigError) as error:
        AugmentConfig(**options)
    assert str(error.value) == message
