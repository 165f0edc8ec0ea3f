"""Figures on trials: worked by hand, and of sets that differ in what they say they differ in."""

import dataclasses
from collections import Counter

import pytest
from support.few_voices import write_voices
from support.tiny_model import write_model

from zspex_toolkit.gates.trials import TrialBench, mean_of, median_left, share_damaged, share_left
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.simulation.plan import read_trials


@pytest.fixture
def bench(tmp_path):
    data = write_voices(tmp_path)
    model = write_model(tmp_path / "model")
    around = {"noise_dir": tmp_path / "noise", "room_dir": tmp_path / "rooms"}
    return TrialBench(model, 8000, tmp_path / "out", data, **around, num_trials=7, seed=3)


def with_rows(bench, name, rows):
    """A bench that has scored a set already."""
    bench._rows[name] = [{"condition": name, "target": "ann", "silent": False, **row} for row in rows]
    return bench


def plan_of(bench, name):
    return read_trials(bench.trials(name) / "plan.jsonl")


def test_the_median_and_the_share_of_outputs_that_are_left_where_the_speaker_is_absent(bench):
    levels = (-50.0, -30.0, -20.0, -19.0)
    with_rows(bench, "absent", [{"energy_left_db": level} for level in levels])
    assert median_left(bench).value == -25
    assert share_left(bench).value == 25  # -20 dB itself is not above


def test_the_share_of_lone_speakers_that_are_damaged_counts_silence_and_not_what_was_left_untouched(bench):
    rows = [{"si_sdr": 14.9}, {"si_sdr": 15.0}, {"silent": True}, {}, {"si_sdr": 40.0}]
    assert share_damaged(with_rows(bench, "single", rows)).value == 40


def test_intervals_are_over_speakers_and_one_speaker_has_none(bench):
    rows = [{"energy_left_db": 0.0, "target": spk} for spk in ("ann", "bob")] + [{"energy_left_db": -40.0}]
    figure = share_left(with_rows(bench, "absent", rows))
    assert figure.interval == (50.0, 100.0) and figure.remark == "3 trials of 2 speakers"
    assert share_left(with_rows(bench, "absent", rows[:1])).interval is None


def test_every_speaker_is_asked_for_as_often(bench):
    trials = plan_of(bench, "present")
    assert Counter(trial.spk for trial in trials) == {"ann": 2, "bob": 2, "cat": 2, "dan": 2}


def test_of_many_speakers_some_are_asked_for_once(bench):
    few = dataclasses.replace(bench, num_trials=3)
    trials = plan_of(few, "present")
    assert len(trials) == len({trial.spk for trial in trials}) == 3


def test_sets_of_enrollments_share_the_mixtures_and_differ_in_the_enrollments(bench):
    present = plan_of(bench, "present")
    found = {
        name: read_trials(bench.trials(name) / "plan.jsonl")
        for name in ("enrollment_1s", "enrollment_room", "enrollment_noise")
    }
    for trials in found.values():
        assert [trial.mixture for trial in trials] == [trial.mixture for trial in present]
    assert {trial.enrollment.passage.num_samples for trial in found["enrollment_1s"]} == {8000}
    assert {trial.enrollment.passage.room for trial in found["enrollment_room"]} == {"hall.wav"}
    assert {trial.enrollment.noise.id for trial in found["enrollment_noise"]} == {"fan.wav"}
    assert all(5 <= trial.enrollment.noise.snr_db <= 20 for trial in found["enrollment_noise"])


def test_the_sets_of_mixtures_are_what_they_are_called(bench):
    conditions = {
        name: {trial.condition for trial in read_trials(bench.trials(name) / "plan.jsonl")}
        for name in ("absent", "single")
    }
    assert conditions == {"absent": {"absent"}, "single": {"single"}}
    (noise,) = {trial.mixture.noise.id for trial in plan_of(bench, "noise")}
    rooms = {source.room for trial in plan_of(bench, "room") for source in trial.mixture.sources}
    assert (noise, rooms) == ("fan.wav", {"hall.wav"})
    assert {len(trial.mixture.sources) for trial in plan_of(bench, "three")} == {3}
    assert all(trial.mixture.channel for trial in plan_of(bench, "microphone"))
    spoken = [
        source.num_samples / trial.mixture.num_samples
        for trial in plan_of(bench, "partial")
        for source in trial.mixture.sources
    ]
    assert min(spoken) < 1


def test_utterances_of_another_rate_are_brought_to_the_models(tmp_path, bench):
    slow = dataclasses.replace(bench, data=write_voices(tmp_path / "wide", fs=11025), noise_dir=None, room_dir=None)
    mixture, enrollment = slow.recordings(1)[0]
    assert audio_info(mixture).fs == audio_info(enrollment).fs == 8000


def test_a_set_without_what_it_is_made_of_is_told(bench):
    bare = dataclasses.replace(bench, noise_dir=None, room_dir=None)
    assert mean_of(bare, "enrollment_noise", "si_sdri").remark == "needs --noise_dir"
    assert mean_of(bare, "room", "si_sdri").remark == "needs --room_dir"
    given = dataclasses.replace(bare, data=None, given=bench.out)
    assert mean_of(given, "enrollment_2s", "si_sdri").remark == "needs --data"


def test_the_gain_of_an_untrained_network_is_scored_and_kept(bench):
    figure = mean_of(bench, "present", "si_sdri")
    assert figure.remark == "8 trials of 4 speakers, enrollments of 0.7 s"
    assert figure.interval[0] <= figure.value <= figure.interval[1]
    assert mean_of(bench, "present", "confusion").value in {100 * n / 8 for n in range(9)}


def test_given_trials_stand_in_for_the_three_main_sets(bench):
    given = dataclasses.replace(bench, data=None, given=bench.trials("absent"), out=bench.out / "again")
    assert share_left(given).remark.startswith("8 trials of ")
    assert mean_of(given, "present", "si_sdri").remark == "the list has no trials of the condition present"
    assert given.recordings(1)[0][0] == next(iter(read_table(bench.trials("absent") / "wav.scp").values()))


def test_a_given_plan_is_rendered(bench, tmp_path):
    folder = tmp_path / "plan"
    folder.mkdir()
    (folder / "plan.jsonl").write_bytes((bench.trials("present") / "plan.jsonl").read_bytes())
    given = dataclasses.replace(bench, given=folder, out=bench.out / "again")
    first, second = given.recordings(1)[0][0], bench.recordings(1)[0][0]
    assert (read_audio(first)[0] == read_audio(second)[0]).all()
    assert [path.name for path in folder.iterdir()] == ["plan.jsonl"]
