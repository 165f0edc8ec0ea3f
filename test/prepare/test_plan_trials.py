"""What the plan of a trial directory leaves out, refuses and says."""

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.plan_trials import Config, plan_trial_dir
from zspex_toolkit.simulation.plan import mixtures_of, read_trials


@pytest.fixture
def data(tmp_path):
    """Three speakers of three utterances of 0.5 to 0.7 s; and dan, who has one, and whose other two are unfit."""
    utts = {f"{spk}-{number}": spk for spk in ("ada", "bob", "cyd", "dan") for number in range(3)}
    for seed, utt in enumerate(utts):
        samples = 0.1 * np.random.default_rng(seed).normal(size=4000 + 800 * int(utt[-1])).clip(-3, 3)
        samples = {"dan-1": np.zeros(4000), "dan-2": samples[:100]}.get(utt, samples)
        write_audio(tmp_path / "wav" / f"{utt}.wav", samples, 8000)
    wavs = {utt: str(tmp_path / "wav" / f"{utt}.wav") for utt in utts}
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk=utts)
    return tmp_path / "data"


def planned(data, out, **options):
    plan_trial_dir(Config(data, out, **options))
    return read_trials(out / "plan.jsonl")


def test_every_usable_utterance_begins_a_mixture_and_the_others_are_told(data, tmp_path, capsys):
    trials = planned(data, tmp_path / "trials", seed=3)
    assert len(trials) == 18
    firsts = {trial.mixture.sources[0].pieces[0].utt for trial in trials}
    assert firsts == {f"{spk}-{number}" for spk in ("ada", "bob", "cyd") for number in range(3)}
    assert read_table(tmp_path / "trials" / "dropped.txt") == {
        "dan-0": "only usable one of its speaker",
        "dan-1": "silent",
        "dan-2": "shorter than 0.5 s (0.01 s)",
    }
    assert "18 trials (18 present) of 9 mixtures planned, 3 dropped (" in capsys.readouterr().out


def test_gains_are_in_the_plan_and_the_same_from_any_number_of_processes(data, tmp_path):
    options = {"absent_share": 0.3, "single_share": 0.3, "mixtures_per_utterance": 3}
    one = planned(data, tmp_path / "one", **options)
    assert all(source.gain is not None for trial in one for source in trial.mixture.sources)
    assert [trial.id for trial in one] == sorted(trial.id for trial in one)
    plan_trial_dir(Config(data, tmp_path / "two", nj=2, **options))
    one, two = (tmp_path / name / "plan.jsonl" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_some_speakers_get_so_many_trials_each_as_targets_alone(data, tmp_path):
    trials = planned(data, tmp_path / "trials", speakers=2, per_speaker=7)
    counts = {spk: sum(trial.spk == spk for trial in trials) for spk in {trial.spk for trial in trials}}
    assert len(counts) == 2 and set(counts.values()) == {7}
    assert {trial.role for trial in trials} == {1}
    assert len({trial.mixture.id for trial in trials}) == 14


def test_of_three_speakers_each_is_asked_for_and_none_enrolls_with_what_is_mixed(data, tmp_path):
    trials = planned(data, tmp_path / "trials", num_speakers=3, mixtures_per_utterance=2, single_share=0.2)
    for mixture in mixtures_of(trials):
        asked = {trial.role: trial.spk for trial in trials if trial.mixture == mixture}
        assert asked == {role: source.spk for role, source in enumerate(mixture.sources, start=1)}
        assert len(asked) in (1, 3)
    for trial in trials:
        mixed = {utt for source in trial.mixture.sources for utt in source.utterances}
        assert not mixed & set(trial.enrollment.passage.utterances)
    with pytest.raises(DataDirError, match="need at least 4 speakers with two utterances each, found 3"):
        plan_trial_dir(Config(data, tmp_path / "four", num_speakers=4))


def test_a_mixtures_trials_follow_from_the_seed_and_its_target_alone(data, tmp_path):
    options = {"absent_share": 0.3, "single_share": 0.3, "mixtures_per_utterance": 3}
    whole = {trial.id: trial for trial in planned(data, tmp_path / "whole", **options)}
    part = planned(data, tmp_path / "part", speakers=1, **options)
    assert 9 <= len(part) < len(whole) and all(whole[trial.id] == trial for trial in part)
    assert planned(data, tmp_path / "other", seed=1, **options) != list(whole.values())


def test_shares_of_conditions_are_those_asked_for(data, tmp_path):
    trials = planned(data, tmp_path / "trials", absent_share=0.2, single_share=0.1, mixtures_per_utterance=40)
    conditions = {trial.mixture.id: trial.condition for trial in trials}
    shares = {name: list(conditions.values()).count(name) / len(conditions) for name in ("absent", "single")}
    assert shares == {"absent": pytest.approx(0.2, abs=0.06), "single": pytest.approx(0.1, abs=0.05)}
    ids = [trial.id for trial in trials]
    assert len(set(ids)) == len(ids) and ids == sorted(ids, key=str.encode)
    assert all(trial.id == f"{trial.spk}-{trial.mixture.id}" for trial in trials)


def test_conditions_of_use_come_as_often_as_asked_for(data, tmp_path):
    options = {"third_share": 0.5, "partial_share": 0.4, "channel_share": 0.3, "mode": "max", "gain_db": (-30.0, 0.0)}
    write_audio(tmp_path / "noise" / "fan.wav", np.random.default_rng(1).uniform(-0.5, 0.5, 8000), 8000)
    trials = planned(
        data, tmp_path / "trials", mixtures_per_utterance=15, noise_dir=tmp_path / "noise", noise_share=0.5, **options
    )
    mixtures = mixtures_of(trials)
    shares = {
        0.5: [len(mixture.sources) == 3 for mixture in mixtures],
        0.4: [mixture.sources[0].fade is not None for mixture in mixtures],
        0.3: [mixture.channel is not None for mixture in mixtures],
    }
    assert all(np.mean(found) == pytest.approx(share, abs=0.12) for share, found in shares.items())
    assert np.mean([mixture.noise is not None for mixture in mixtures]) == pytest.approx(0.5, abs=0.12)
    assert len(trials) == sum(len(mixture.sources) for mixture in mixtures)  # everyone is asked for
    assert min(mixture.gain for mixture in mixtures) < 0.1
    assert all(trial.enrollment.channel is None and trial.enrollment.passage.gain is None for trial in trials)


def test_enrollments_may_come_from_another_condition_than_the_mixture(data, tmp_path):
    trials = planned(data, tmp_path / "trials", channel_share=1.0, treat_enrollments=True, gain_db=(-20.0, 0.0))
    assert all(trial.enrollment.channel not in (None, trial.mixture.channel) for trial in trials)
    assert len({trial.enrollment.passage.gain for trial in trials}) == len(trials)


def test_speakers_of_a_mixture_stand_in_one_room_and_enroll_in_another(data, tmp_path):
    for name in ("bath-1", "bath-2", "hall-1", "hall-2"):
        write_audio(tmp_path / "rooms" / f"{name}.wav", np.array([0.9, 0.3]), 8000)
    options = {"room_dir": tmp_path / "rooms", "same_room": True, "treat_enrollments": True}
    for trial in planned(data, tmp_path / "trials", **options):
        places = [source.room for source in trial.mixture.sources]
        assert len(set(places)) == 2 and len({place[:4] for place in places}) == 1
        assert trial.enrollment.passage.room[:4] != places[0][:4]


def test_mixtures_whose_enrollment_would_be_silent_are_dropped(tmp_path):
    utts = {f"{spk}-{number}": spk for spk in ("ada", "bob") for number in range(2)}
    for seed, utt in enumerate(utts):
        samples = 0.1 * np.random.default_rng(seed).normal(size=4000).clip(-3, 3)
        write_audio(tmp_path / "wav" / f"{utt}.wav", np.r_[np.zeros(4000), samples], 8000)
    write_data_dir(tmp_path / "data", wavs={u: str(tmp_path / "wav" / f"{u}.wav") for u in utts}, utt2spk=utts)
    options = {"enrollment_seconds": (0.2,), "treat_enrollments": True, "mixtures_per_utterance": 5}
    trials = planned(tmp_path / "data", tmp_path / "trials", **options)
    dropped = read_table(tmp_path / "trials" / "dropped.txt")
    assert trials and any(reason.startswith("enrollment is silent (") for reason in dropped.values())
    assert not dropped.keys() & {trial.mixture.id for trial in trials}


def test_a_lone_target_is_as_long_as_the_longest_mixture(data, tmp_path):
    trials = planned(data, tmp_path / "trials", single_share=1.0, max_seconds=0.25)
    assert {trial.mixture.num_samples for trial in trials} == {2000} and {t.condition for t in trials} == {"single"}
    assert len({trial.mixture.sources[0].pieces[0].start for trial in trials}) > 4


def test_lengths_are_in_seconds(data, tmp_path):
    trials = planned(data, tmp_path / "trials", enrollment_seconds=(0.2, 0.3), max_seconds=0.25)
    assert {trial.mixture.num_samples for trial in trials} == {2000}
    assert all(1600 <= trial.enrollment.passage.num_samples <= 2400 for trial in trials)


def test_a_new_plan_outdates_the_tables_of_the_old_one(data, tmp_path):
    plan_trial_dir(Config(data, tmp_path / "trials"))
    for name in ("utt2spk", "enroll_spk1.scp", "utt2condition", "notes.txt"):
        (tmp_path / "trials" / name).write_text("x y\n")
    plan_trial_dir(Config(data, tmp_path / "trials"))
    assert (tmp_path / "trials" / "utt2spk").exists()
    plan_trial_dir(Config(data, tmp_path / "trials", seed=9))
    assert sorted(path.name for path in (tmp_path / "trials").iterdir()) == ["dropped.txt", "notes.txt", "plan.jsonl"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"absent_share": 1.5}, "absent_share: expected a number from 0 to 1, got 1.5"),
        ({"channel_share": 1.5}, "channel_share: expected a number from 0 to 1, got 1.5"),
        ({"partial_share": 1.5}, "partial_share: expected a number from 0 to 1, got 1.5"),
        ({"third_share": -1.0}, "third_share: expected a number from 0 to 1, got -1.0"),
        ({"gain_db": (5.0, -5.0)}, "gain_db: expected a finite number of dB"),
        ({"absent_share": 0.7, "single_share": 0.7}, "expected a sum up to 1, got 1.4"),
        (
            {"enrollment_seconds": (3.0, 2.0)},
            r"enrollment_seconds: expected a length .*, got \[3.0, 2.0\]",
        ),
        ({"enrollment_seconds": (0.0,)}, "enrollment_seconds: expected a length above 0"),
        ({"mixtures_per_utterance": 0}, "mixtures_per_utterance: expected at least 1, got 0"),
        ({"per_speaker": -1}, "per_speaker: expected at least 0, got -1"),
        ({"speakers": 4}, "speakers: expected at most 3, as the data have, got 4"),
        ({"snr_db": (5.0, -5.0)}, "snr_db: expected a finite number of dB"),
    ],
)
def test_a_setting_out_of_range_is_named(data, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        plan_trial_dir(Config(data, tmp_path / "trials", **options))
    assert not (tmp_path / "trials").exists()


def test_mixtures_of_one_name_are_refused(tmp_path):
    write_audio(tmp_path / "a.wav", 0.1 * np.random.default_rng(0).uniform(-1, 1, 800), 8000)
    utt2spk = {utt: utt[0] for utt in ("a", "a_b", "b", "b_b")}  # a with b_b, a_b with b
    write_data_dir(tmp_path / "data", wavs=dict.fromkeys(utt2spk, str(tmp_path / "a.wav")), utt2spk=utt2spk)
    with pytest.raises(DataDirError, match=r"a_b_b(-\d)?: id of two mixtures; rename the utterances, without '_'"):
        plan_trial_dir(Config(tmp_path / "data", tmp_path / "trials", min_utt_s=0, mixtures_per_utterance=9))
    assert not (tmp_path / "trials").exists()


def test_where_no_mixture_is_left_no_plan_is_written(tmp_path):
    click = np.where(np.arange(800) == 400, 0.1, 0.0)  # which a stretch of two samples misses
    write_audio(tmp_path / "click.wav", click, 8000)
    wavs = {f"{spk}-{number}": str(tmp_path / "click.wav") for spk in ("ann", "bob") for number in (1, 2)}
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk={utt: utt[:3] for utt in wavs})
    with pytest.raises(DataDirError, match=r"no mixture is left, all is dropped: 3 interferer is silent"):
        plan_trial_dir(Config(tmp_path / "data", tmp_path / "trials", min_utt_s=0, max_seconds=0.0002))
    assert not (tmp_path / "trials").exists()


def test_speakers_without_a_second_utterance_are_no_set(data, tmp_path):
    with pytest.raises(DataDirError, match=r"at least 2 speakers with two utterances each, found 0 \(\d+ utt"):
        plan_trial_dir(Config(data, tmp_path / "trials", min_utt_s=0.65))
