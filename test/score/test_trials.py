"""Tests of reading the list of trials."""

import dataclasses

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.score.trials import list_hash, mixing_mode, read_trial_list, roles
from zspex_toolkit.simulation.plan import Enrollment, Passage, Piece, Plan, Trial, to_line


@pytest.fixture
def by_id(trial_dir):
    return {trial.id: trial for trial in read_trial_list(trial_dir)}


def test_every_trial_knows_its_speakers_and_files(trial_dir, by_id):
    trial = by_id["cat-m2"]
    assert (trial.target, trial.interferer, trial.mixture_id, trial.condition) == ("cat", "ann", "m2", "present")
    assert trial.interferer_reference == read_table(trial_dir / "spk2.scp")["cat-m2"]
    assert trial.enrollment.endswith("enroll-cat.wav")
    assert list(by_id) == sorted(by_id)


def test_pairs_are_named_by_gender(by_id):
    pairs = {name: trial.pair for name, trial in by_id.items()}
    assert pairs["ann-m1"] == pairs["bob-m1"] == "different"
    assert (pairs["ann-m2"], pairs["dan-m3"], pairs["cat-m5"]) == ("female", "male", "unknown")


def test_conditions_are_as_told_and_present_where_nothing_is_told(trial_dir, by_id):
    assert (by_id["dan-m4"].condition, by_id["cat-m5"].condition) == ("absent", "single")
    (trial_dir / "utt2condition").unlink()
    assert {trial.condition for trial in read_trial_list(trial_dir)} == {"present"}


def test_trials_can_be_left_out(trial_dir, tmp_path):
    (tmp_path / "leaks").write_text("ann-m1 1\nbob-m1\n")
    left = [trial.id for trial in read_trial_list(trial_dir, exclude=tmp_path / "leaks")]
    assert left == ["ann-m2", "bob-m3", "cat-m2", "cat-m5", "dan-m3", "dan-m4"]


def test_leaks_are_known_only_where_they_are_listed(trial_dir, by_id):
    assert {trial.enrolls_with_target for trial in by_id.values()} == {None}
    write_table(trial_dir / "enroll_is_target", {"ann-m1": 1})
    assert {t.id: t.enrolls_with_target for t in read_trial_list(trial_dir)} == {
        name: name == "ann-m1" for name in by_id
    }


def test_the_hash_tells_lists_apart_and_not_folders(by_id):
    trials = list(by_id.values())
    moved = [dataclasses.replace(trial, mixture=f"/elsewhere/{trial.mixture}") for trial in trials]
    assert list_hash(moved) == list_hash(trials)
    other = dataclasses.replace(trials[0], enrollment="enroll-other.wav")
    assert len({list_hash(trials), list_hash(trials[1:]), list_hash([other, *trials[1:]])}) == 3


def test_both_roles_are_told_from_one(by_id):
    trials = [trial for trial in by_id.values() if trial.condition == "present"]
    assert roles(trials) == "both"
    assert roles([trial for trial in trials if trial.id in ("ann-m1", "cat-m2")]) == "one"
    assert roles(trials[1:]) == "some"
    three = [dataclasses.replace(trials[0], target=spk) for spk in ("ann", "bob", "cat")]
    assert roles(three) == "all"


def test_the_plan_tells_how_mixtures_were_cut(trial_dir):
    assert mixing_mode(trial_dir) is None
    for second, mode in ((800, "min"), (500, "max")):
        sources = tuple(Passage(spk, (Piece(f"{spk}-1"),), length) for spk, length in (("a", 800), ("b", second)))
        mixture = Plan("a-1_b-1", sources, 0.0, 8000, 800, seed=0)
        trial = Trial("a-a-1_b-1", 1, Enrollment(Passage("a", (Piece("a-2"),), 800)), mixture)
        write_text(trial_dir / "plan.jsonl", to_line(trial) + "\n")
        assert mixing_mode(trial_dir) == mode


def test_whoever_else_speaks_is_listed_too(trial_dir):
    write_table(trial_dir / "spk3.scp", {"ann-m1": "third.wav"})
    write_table(trial_dir / "spk4.scp", {"ann-m1": "fourth.wav"})
    found = {trial.id: trial.more_interferers for trial in read_trial_list(trial_dir)}
    assert found.pop("ann-m1") == ("third.wav", "fourth.wav") and set(found.values()) == {()}


@pytest.mark.parametrize("name", ["wav.scp", "spk1.scp", "enroll_spk1.scp"])
def test_a_missing_table_or_line_is_named(trial_dir, name):
    table = read_table(trial_dir / name)
    write_table(trial_dir / name, {key: value for key, value in table.items() if key != "bob-m3"})
    with pytest.raises(DataDirError, match=rf"{name}: no line for 'bob-m3' \(1 such trials\)"):
        read_trial_list(trial_dir)
    (trial_dir / name).unlink()
    with pytest.raises(DataDirError, match=rf"{name}: no such file; expected a directory of trials, as render_trials"):
        read_trial_list(trial_dir)


def test_an_unknown_condition_is_named(trial_dir):
    write_table(trial_dir / "utt2condition", {"cat-m2": "gone"})
    with pytest.raises(DataDirError, match="utt2condition: 'cat-m2': expected one of present, absent, single, got 'g"):
        read_trial_list(trial_dir)


def test_a_list_to_leave_out_must_fit(trial_dir, tmp_path):
    path = tmp_path / "exclude"
    with pytest.raises(DataDirError, match="exclude: no such file; expected a list of trials to leave out"):
        read_trial_list(trial_dir, exclude=path)
    path.write_text("eve-m1\n")
    with pytest.raises(DataDirError, match=r"exclude: 'eve-m1' is no trial of .*trials_test \(1 such lines\)"):
        read_trial_list(trial_dir, exclude=path)
    path.write_text("".join(f"{name}\n" for name in read_table(trial_dir / "utt2spk")))
    with pytest.raises(DataDirError, match="exclude: leaves no trial of"):
        read_trial_list(trial_dir, exclude=path)
