"""Plans of fixed trials: conditions, roles and enrollments, and their lines in plan.jsonl."""

import dataclasses

import numpy as np
import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.simulation.draw import Pool
from zspex_toolkit.simulation.mixture_plan import to_line
from zspex_toolkit.simulation.trial_plan import mixtures_of, plan_trials, read_trials

UTT2SPK = {f"{spk}-{number}": spk for spk in ("ada", "bob", "cyd", "dan") for number in range(3)}
POOL = Pool(UTT2SPK, {utt: 100 + 10 * int(utt[-1]) for utt in UTT2SPK})
TARGETS = [(utt, 0) for utt in POOL.utterances]


def planned(targets=TARGETS, **options):
    return plan_trials(POOL, targets, **{"seed": 1, "fs": 8000, "snr_db": (-5.0, 5.0), **options})


def test_both_speakers_of_every_mixture_are_targets_in_turn():
    trials = planned()
    assert len(trials) == 24 and len(mixtures_of(trials)) == 12
    for mixture in mixtures_of(trials):
        asked = {trial.role: trial.spk for trial in trials if trial.mixture == mixture}
        assert asked == {1: mixture.sources[0].spk, 2: mixture.sources[1].spk}


def test_the_interferer_is_not_asked_for_where_one_role_is_wanted():
    trials = planned(both_roles=False)
    assert [trial.role for trial in trials] == [1] * 12


def test_trials_are_named_by_their_speaker_and_sorted_by_bytes():
    trials = planned()
    assert all(trial.id == f"{trial.spk}-{trial.mixture.id}" for trial in trials)
    assert [trial.id for trial in trials] == sorted((trial.id for trial in trials), key=str.encode)


def test_an_enrollment_is_of_its_speaker_and_never_in_the_mixture():
    for trial in planned(absent_share=0.3, single_share=0.3, targets=[(u, n) for u, _ in TARGETS for n in range(9)]):
        assert {UTT2SPK[utt] for utt in trial.enrollment.utts} == {trial.spk}
        assert not {source.utt for source in trial.mixture.sources} & set(trial.enrollment.utts)


def test_a_trial_depends_on_neither_order_nor_company():
    whole = {trial.id: trial for trial in planned()}
    part = planned(TARGETS[7:3:-1])
    assert all(whole[trial.id] == trial for trial in part)


def test_another_seed_is_another_plan():
    assert planned() != planned(seed=2)


def test_several_mixtures_of_an_utterance_have_their_own_names_and_partners():
    trials = planned([("ada-0", number) for number in range(6)], both_roles=False)
    assert len({trial.mixture.id for trial in trials}) == 6
    assert len({trial.mixture.sources[1].utt for trial in trials}) > 2


def test_an_absent_speaker_is_neither_of_the_two_and_a_single_one_alone():
    trials = planned([(u, n) for u, _ in TARGETS for n in range(40)], absent_share=0.2, single_share=0.1)
    of = {name: [trial for trial in trials if trial.condition == name] for name in ("present", "absent", "single")}
    num_mixtures = len(mixtures_of(trials))
    assert len(of["absent"]) / num_mixtures == pytest.approx(0.2, abs=0.05)
    assert len(of["single"]) / num_mixtures == pytest.approx(0.1, abs=0.05)
    for trial in of["absent"]:
        assert trial.role is None and trial.spk not in {source.spk for source in trial.mixture.sources}
    for trial in of["single"]:
        assert [source.spk for source in trial.mixture.sources] == [trial.spk] and trial.role == 1


def test_enrollments_of_a_set_length_are_joined_or_cut():
    trials = planned(enrollment_num_samples=(150, 150))
    assert {trial.enrollment.num_samples for trial in trials} == {150}
    assert {len(trial.enrollment.utts) for trial in trials} == {2}
    cut = planned(enrollment_num_samples=(20, 40))
    assert {len(trial.enrollment.utts) for trial in cut} == {1}
    assert min(trial.enrollment.num_samples for trial in cut) >= 20
    assert max(trial.enrollment.num_samples for trial in cut) <= 40
    lengths = [sum(POOL.utt2num_samples[utt] for utt in trial.enrollment.utts) for trial in cut]
    assert all(t.enrollment.start + t.enrollment.num_samples <= n for t, n in zip(cut, lengths, strict=True))


def test_an_enrollment_has_all_there_is_where_that_is_less_than_asked():
    assert {trial.enrollment.num_samples for trial in planned(enrollment_num_samples=(999, 999))} == {210, 220, 230}


def test_the_length_of_a_lone_target_is_limited_too():
    trials = planned(single_share=1.0, max_num_samples=60)
    assert {trial.mixture.num_samples for trial in trials} == {60}
    assert len({trial.mixture.sources[0].start for trial in trials}) > 4


def test_a_plan_is_read_as_it_was_written(tmp_path):
    trials = planned(absent_share=0.3, single_share=0.3)
    write_text(tmp_path / "plan.jsonl", "".join(f"{to_line(trial)}\n" for trial in trials))
    assert read_trials(tmp_path / "plan.jsonl") == trials


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("present", "maybe"), "condition 'maybe'"),
        (('"role"', '"part"'), "unexpected keyword argument 'part'"),
        (('"enrollment"', '"enrolment"'), "'enrollment'"),
        (("{", "["), ""),
    ],
)
def test_a_malformed_line_is_named(tmp_path, change, reason):
    write_text(tmp_path / "plan.jsonl", "".join(f"{to_line(trial)}\n" for trial in planned()))
    lines = (tmp_path / "plan.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "plan.jsonl").write_text("".join([*lines[:4], lines[4].replace(*change, 1), *lines[5:]]))
    with pytest.raises(DataDirError, match=rf"plan.jsonl:5: expected the plan of a trial, got .*{reason}"):
        read_trials(tmp_path / "plan.jsonl")


def test_a_missing_plan_is_named(tmp_path):
    with pytest.raises(DataDirError, match=r"plan\.jsonl: no such file; write it with plan_trials"):
        read_trials(tmp_path / "plan.jsonl")


def test_trials_that_differ_on_their_mixture_are_refused():
    one, *others = planned()
    louder = dataclasses.replace(one, mixture=dataclasses.replace(one.mixture, gain=0.5))
    with pytest.raises(DataDirError, match="its trials describe it differently"):
        mixtures_of([louder, *others])


def test_positions_are_plain_numbers():
    trial = planned(enrollment_num_samples=(20, 40))[0]
    assert not any(isinstance(value, np.generic) for value in dataclasses.asdict(trial.enrollment).values())
