"""Trials on the fly are new in every epoch, and any of them can be made again."""

import numpy as np
import pytest
import torch

from zspex_toolkit.data.drawn_trials import DrawConfig, DrawnTrials
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.signal.level import power

VOICES = ("anna", "bert", "cleo", "dave")


def drawn(voices, seed=0, **options) -> DrawnTrials:
    given = {"source_data": voices / "data" / "train", "segment_seconds": 2.0, "enrollment_seconds": (1.0, 2.0)}
    return DrawnTrials(DrawConfig(**{**given, **options}), 16000, seed=seed)


def batch_of(trials: DrawnTrials, epoch: int = 0):
    return trials.collate([trials.get(epoch, index) for index in range(len(trials))])


def test_an_item_follows_from_seed_epoch_and_index_whatever_was_read_before(voices):
    one, two = drawn(voices), drawn(voices, cache_mib=0)
    two.get(0, 4)
    for first, again in zip(one.get(3, 5), two.get(3, 5), strict=True):
        assert first.id == again.id and first.speaker == again.speaker
        for name in ("mixture", "target", "enrollment"):
            assert np.array_equal(getattr(first, name), getattr(again, name))


def test_seed_and_epoch_change_everything(voices):
    trials = drawn(voices)
    mixtures = [trials.get(0, 5), trials.get(1, 5), drawn(voices, seed=1).get(0, 5)]
    assert not np.array_equal(mixtures[0][0].mixture, mixtures[1][0].mixture)
    assert not np.array_equal(mixtures[0][0].mixture, mixtures[2][0].mixture)


def test_enrollment_is_redrawn_every_epoch(voices):
    trials = drawn(voices)
    assert len({trials.draw(epoch, 0)[0].enrollment.passage.utterances[0] for epoch in range(30)}) >= 4


def test_a_batch_has_two_rows_of_each_mixture_with_either_speaker_as_target(voices):
    trials = drawn(voices, gain_db=(0.0,))
    batch = batch_of(trials)
    mixture = batch["mixture"]  # once, row r asks of mixture r % M
    assert len(mixture) == len(trials) == 24
    targets = torch.stack(batch["target"].chunk(2)).sum(0)
    assert torch.equal(targets, mixture)
    speakers = torch.stack(batch["speaker"].chunk(2))
    assert (speakers[0] != speakers[1]).all() and batch["present"].all()
    assert batch["ids"][0].startswith("anna-anna-00_") and batch["target"].shape == (48, 32000)


def test_the_class_is_that_of_the_enrolled_voice(voices):
    trials = drawn(voices)
    assert trials.speakers == list(VOICES)
    for index in range(len(trials)):
        asked = trials.draw(0, index)
        classes = [trials.speakers[row.speaker] for row in trials.get(0, index)]
        assert classes == [source.spk for source in asked[0].mixture.sources]


def test_a_voice_at_another_speed_is_another_class_but_never_its_own_interferer(voices):
    trials = drawn(voices, speeds=(0.9, 1.0, 1.1), speed_as_speaker=True)
    assert len(trials.speakers) == 12 and {"anna", "anna@0.9", "anna@1.1"} <= set(trials.speakers)
    met = set()
    for index in range(len(trials)):
        plan = trials.draw(0, index)[0].mixture
        first, second = plan.sources
        assert first.spk != second.spk
        for source, row in zip(plan.sources, trials.get(0, index), strict=True):
            name = source.spk if source.speed == 1.0 else f"{source.spk}@{source.speed:g}"
            assert trials.speakers[row.speaker] == name
            met.add(name)
    assert len(met) == 12


def test_speed_may_leave_a_voice_what_it_is(voices):
    assert drawn(voices, speeds=(0.9, 1.1)).speakers == list(VOICES)


def test_an_absent_speaker_has_a_silent_target_and_a_class(voices):
    batch = batch_of(drawn(voices, absent_probability=0.5))
    absent = ~batch["present"]
    assert 8 <= int(absent.sum()) <= 40
    assert not batch["target"][absent].any() and batch["target"][~absent].any(1).all()
    assert (batch["speaker"] >= 0).all() and not batch["alone"].any()


def test_a_lone_speaker_is_the_whole_mixture(voices):
    batch = batch_of(drawn(voices, single_probability=1.0))
    assert batch["alone"].all() and torch.equal(batch["mixture"].repeat(2, 1), batch["target"])
    one, two = batch["enrollment"].chunk(2)
    assert not torch.equal(one, two)


def test_three_speakers_give_three_rows_of_one_mixture_whose_targets_add_up_to_it(voices):
    trials = drawn(voices, num_speakers=3, snr_db=(2.0,))
    assert len(trials) == 24
    for index in range(6):
        rows, (asked, rendered, _) = trials.get(0, index), trials.render(0, index)
        assert len({id(row.mixture) for row in rows}) == 1 and all(row.present and not row.alone for row in rows)
        assert np.array_equal(sum(row.target for row in rows), rows[0].mixture)
        assert [trials.speakers[row.speaker] for row in rows] == [source.spk for source in rendered.plan.sources]
        assert [trial.role for trial in asked] == [1, 2, 3] and len({trial.spk for trial in asked}) == 3
        one, *others = rendered.sources
        assert 10 * np.log10(power(one) / power(sum(others))) == pytest.approx(2.0, abs=1e-2)


def test_of_three_speakers_some_alone_may_be_asked_for(voices):
    trials = drawn(voices, num_speakers=3, num_targets=2, absent_probability=0.3, single_probability=0.3)
    assert {len(trials.get(0, index)) for index in range(len(trials))} == {2}
    roles = [[trial.role for trial in trials.draw(0, index)] for index in range(len(trials))]
    assert [1, 2] in roles and [1, 1] in roles and any(None in asked for asked in roles)


def test_all_speech_of_a_mixture_is_in_the_batch(voices):
    trials = drawn(voices, gain_db=(0.0,), third_probability=0.5, single_probability=0.2)
    batch = batch_of(trials)
    sources = batch["sources"]
    assert sources.shape == (24, 3, 32000) and torch.equal(sources.sum(1), batch["mixture"])
    assert set(sources.any(2).sum(1).tolist()) == {1, 2, 3}


def test_for_one_speaker_more_nobody_asks(voices):
    trials = drawn(voices, third_probability=1.0, absent_probability=0.2)
    for index in range(6):
        asked, rendered, _ = trials.render(0, index)
        assert len(rendered.sources) == 3 and len(asked) == 2
        assert [trial.role for trial in asked if trial.role] == [
            r for t, r in zip(asked, (1, 2), strict=True) if t.role
        ]
    with pytest.raises(DataDirError, match="expected 5 or more speakers with two utterances each, found 4"):
        drawn(voices, num_speakers=3, third_probability=0.1, absent_probability=0.2)


CONDITIONS = {
    "channel_probability": 0.7,
    "partial_probability": 0.6,
    "third_probability": 0.3,
    "absent_probability": 0.2,
    "single_probability": 0.2,
    "gain_db": (-40.0, 10.0),
}


def test_a_present_target_always_sounds_in_any_condition(voices):
    trials = drawn(voices, **CONDITIONS)
    for index in range(len(trials)):
        _, rendered, _ = trials.render(0, index)
        noise = 0 if rendered.noise is None else rendered.noise
        assert np.array_equal(rendered.mixture, rendered.sources.sum(0) + noise)
        for row in trials.get(0, index):
            assert row.present == bool(row.target.any()) and np.isfinite(row.enrollment).all() and row.enrollment.any()


def test_items_in_all_conditions_follow_from_seed_epoch_and_index(voices):
    one, two = drawn(voices, **CONDITIONS), drawn(voices, cache_mib=0, **CONDITIONS)
    for index in range(8):
        for first, again in zip(one.get(1, index), two.get(1, index), strict=True):
            assert np.array_equal(first.mixture, again.mixture) and np.array_equal(first.enrollment, again.enrollment)


def test_levels_go_over_forty_db(voices):
    trials = drawn(voices, gain_db=(-45.0, 10.0))
    levels = [10 * np.log10(power(trials.render(epoch, index)[1].mixture)) for epoch in range(3) for index in range(24)]
    assert max(levels) - min(levels) > 40


def test_noise_and_rooms_of_any_rate_are_resampled(voices, tmp_path):
    rng = np.random.default_rng(0)
    write_audio(tmp_path / "noise" / "fan.wav", rng.uniform(-0.5, 0.5, 8000), 8000)
    write_audio(tmp_path / "rooms" / "hall.wav", np.r_[0.9, 0.3 * rng.uniform(-1, 1, 400)], 44100)
    folders = {"noise_dir": tmp_path / "noise", "room_dir": tmp_path / "rooms"}
    trials = drawn(voices, noise_probability=1.0, room_probability=1.0, noise_snr_db=(10.0, 10.0), **folders)
    asked, rendered, _ = trials.render(0, 0)
    plan = rendered.plan
    assert {source.room for source in plan.sources} == {"hall.wav"} and plan.noise.id == "fan.wav"
    assert {(t.enrollment.passage.room, t.enrollment.noise.id) for t in asked} == {("hall.wav", "fan.wav")}
    speech = rendered.sources.sum(0)
    assert 10 * np.log10(power(speech) / power(rendered.mixture - speech)) == pytest.approx(10.0, abs=1e-2)


def test_speakers_stand_in_one_room_and_enroll_in_another(voices, tmp_path):
    for name in ("bath-1", "bath-2", "hall-1", "hall-2"):
        write_audio(tmp_path / f"{name}.wav", np.array([0.9, 0.3]), 16000)
    trials = drawn(voices, room_dir=tmp_path, room_probability=1.0, same_room=True)
    for index in range(6):
        asked, rendered, _ = trials.render(0, index)
        places = {source.room for source in rendered.plan.sources}
        assert places in ({"bath-1.wav", "bath-2.wav"}, {"hall-1.wav", "hall-2.wav"})
        assert {t.enrollment.passage.room[:4] for t in asked} == {"bath", "hall"} - {place[:4] for place in places}


def drawn_from(folder, signals, **options) -> DrawnTrials:
    """Trials of utterances that are named ``<spk>-<number>``; ``signals`` are their samples at 16 kHz."""
    for utt, samples in signals.items():
        write_audio(folder / f"{utt}.wav", samples, 16000)
    wavs = {utt: str(folder / f"{utt}.wav") for utt in signals}
    write_data_dir(folder / "data" / "train", wavs=wavs, utt2spk={utt: utt.split("-")[0] for utt in signals})
    return drawn(folder, **{"segment_seconds": 0.5, **options})


def hiss(num_samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).uniform(-1, 1, num_samples)


def test_silence_is_drawn_again(tmp_path):
    half_silent = {
        utt: np.r_[np.zeros(24000), hiss(24000, seed)]
        for seed, utt in enumerate(f"{spk}-{number}" for spk in ("ada", "bob") for number in range(3))
    }
    trials, again = (drawn_from(tmp_path, half_silent, enrollment_seconds=(1.5,)) for _ in range(2))
    for index in range(6):
        _, rendered, _ = trials.render(0, index)
        assert rendered.sources.any(1).all()
        assert np.array_equal(rendered.mixture, again.render(0, index)[1].mixture)


def test_an_utterance_that_is_all_silence_gives_way_to_another(tmp_path):
    signals = {f"{spk}-{number}": hiss(32000, number) for spk in ("ada", "bob") for number in range(4)}
    trials = drawn_from(tmp_path, signals | {"ada-0": np.zeros(32000)}, enrollment_seconds=(0.5,))
    assert trials.name(0) == "ada-0"
    assert trials.render(0, 0)[1].plan.sources[0].utterances[0] != "ada-0"


def test_speech_that_is_all_silence_is_named(tmp_path):
    silence = dict.fromkeys(("ada-0", "ada-1", "bob-0", "bob-1"), np.zeros(16000))
    with pytest.raises(DataDirError, match="no audible mixture of 'ada-0': interferer is silent where it overlaps"):
        drawn_from(tmp_path, silence).get(0, 0)


def test_what_cannot_be_drawn_from_is_left_out_and_counted(tmp_path):
    signals = dict.fromkeys(("ada-0", "ada-1", "bob-0", "bob-1", "cyd-0"), hiss(16000)) | {"bob-2": hiss(100)}
    trials = drawn_from(tmp_path, signals)
    assert trials.dropped == {"bob-2": "too short", "cyd-0": "the only one of its speaker"}
    assert trials.account() == "1 too short, 1 the only one of its speaker"
    assert len(trials) == 4 and trials.speakers == ["ada", "bob"]
    with pytest.raises(DataDirError, match="expected 3 or more speakers with two utterances each, found 2"):
        drawn(tmp_path, absent_probability=0.1)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"enrollment_seconds": (3.0, 2.0)}, r"draw.enrollment_seconds: expected a length above 0, or two, got \[3.0"),
        ({"segment_seconds": 0.0}, "draw.segment_seconds: expected a length above 0, got 0.0"),
        ({"absent_probability": 2.0}, "draw.absent_probability: expected a number from 0 to 1, got 2.0"),
        ({"channel_probability": -1.0}, "draw.channel_probability: expected a number from 0 to 1, got -1.0"),
        ({"partial_probability": 2.0}, "draw.partial_probability: expected a number from 0 to 1, got 2.0"),
        ({"third_probability": 2.0}, "draw.third_probability: expected a number from 0 to 1, got 2.0"),
        ({"gain_db": (3.0, -3.0)}, "gain_db: expected a finite number of dB"),
        ({"num_targets": 3}, "draw.num_targets: expected 0 to 2 speakers, got 3"),
        ({"mixtures_per_utterance": 0}, "draw.mixtures_per_utterance: expected at least 1, got 0"),
    ],
)
def test_a_setting_out_of_range_is_named(setting, message):
    with pytest.raises(ConfigError, match=message):
        DrawConfig(**setting)
