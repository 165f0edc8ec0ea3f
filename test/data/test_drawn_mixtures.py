"""Mixtures on the fly are new in every epoch, and any of them can be made again."""

import numpy as np
import pytest
import torch

from zspex_toolkit.data.drawn_mixtures import DrawConfig, DrawnMixtures
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig
from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.render import render


def drawn(voices, **options) -> DrawnMixtures:
    return DrawnMixtures(
        Waveforms(voices / "data" / "train", 16000), FrontEndConfig(), DrawConfig(**{"snr_db": (0.0,), **options})
    )


def test_an_item_follows_from_seed_epoch_and_index(voices):
    first, again = drawn(voices).draw(3, 5), drawn(voices).draw(3, 5)
    assert first[0] == again[0] and torch.equal(first[1], again[1])


def test_partners_change_with_the_epoch(voices):
    mixtures = drawn(voices)
    assert len({mixtures.mixture(epoch, 0)[0].id for epoch in range(6)}) > 2


def test_every_utterance_is_the_target_as_often_as_asked_and_never_meets_its_own_speaker(voices):
    mixtures = drawn(voices, mixtures_per_utterance=2)
    plans = [mixtures.mixture(0, index)[0] for index in range(len(mixtures))]
    utterances = sorted(2 * [f"{spk}-{number:02d}" for spk in ("anna", "bert", "cleo", "dave") for number in range(6)])
    assert [plan.sources[0].pieces[0].utt for plan in plans] == utterances
    assert [mixtures.name(index) for index in range(len(mixtures))] == utterances
    assert all(plan.sources[0].spk != plan.sources[1].spk for plan in plans)


def test_the_features_are_those_of_the_rendered_plan(voices):
    mixtures = drawn(voices)
    plan, samples = mixtures.mixture(1, 2)
    waveforms = Waveforms(voices / "data" / "train", 16000)
    assert np.array_equal(samples, render(plan, waveforms.part).mixture)
    expected, _ = FrontEnd()(torch.from_numpy(samples)[None])
    assert torch.equal(mixtures.draw(1, 2)[1], expected[0])


def test_a_curriculum_leads_in_a_straight_line_from_easy_mixtures_to_those_asked_for(voices):
    mixtures = drawn(voices, snr_db=(-5.0, 5.0), curriculum_epochs=4, curriculum_snr_db=(11.0, 13.0))
    assert [mixtures._snr_db(epoch) for epoch in (0, 2, 4, 9)] == [(11, 13), (3, 9), (-5, 5), (-5, 5)]


def test_noise_and_rooms_come_from_their_folders(voices, tmp_path):
    write_audio(tmp_path / "noise" / "a.wav", np.full(100, 0.1), 16000)
    write_audio(tmp_path / "room" / "a.wav", np.array([0.9, 0.3]), 16000)
    folders = {"noise_dir": tmp_path / "noise", "room_dir": tmp_path / "room"}
    mixtures = drawn(voices, noise_probability=1.0, room_probability=1.0, **folders)
    plan, _ = mixtures.mixture(0, 0)
    assert plan.noise.id == "a.wav" and {source.room for source in plan.sources} == {"a.wav"}


def test_with_three_speakers_asked_for_and_known_are_the_first_two_and_the_level_is_over_both_others(voices):
    mixtures = drawn(voices, num_speakers=3, snr_db=(-3.0,))
    waveforms = Waveforms(voices / "data" / "train", 16000)
    for index in range(6):
        plan, samples = mixtures.mixture(0, index)
        assert mixtures.draw(0, index)[2:] == (plan.sources[0].spk, plan.sources[1].spk)
        assert len({source.spk for source in plan.sources}) == 3
        target, *others = render(plan, waveforms.part).sources
        assert np.array_equal(target + sum(others), samples)
        assert 10 * np.log10(power(target) / power(sum(others))) == pytest.approx(-3.0, abs=0.01)


def test_utterances_that_are_never_audible_together_are_named(tmp_path):
    wavs = {}
    for spk, level in (("a", 0.1), ("b", 0.0)):
        write_audio(tmp_path / f"{spk}.wav", np.full(8000, level), 16000)
        wavs[f"{spk}-1"] = str(tmp_path / f"{spk}.wav")
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk={"a-1": "a", "b-1": "b"})
    mixtures = DrawnMixtures(Waveforms(tmp_path / "data", 16000), FrontEndConfig(), DrawConfig())
    with pytest.raises(DataDirError, match=r"no audible mixture of 'a-1': interferer is silent"):
        mixtures.draw(0, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"snr_db": ()}, "snr_db: expected"),
        ({"curriculum_epochs": -1}, "draw.curriculum_epochs: expected at least 0, got -1"),
    ],
)
def test_settings_that_make_no_sense_are_one_clear_line(options, message):
    with pytest.raises(ConfigError) as error:
        DrawConfig(**options)
    assert str(error.value).startswith(message)
