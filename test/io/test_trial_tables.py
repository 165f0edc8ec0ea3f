"""Which tables of a trial directory may leave out which trials."""

import pytest

from zspex_toolkit.io.fix import fix_data_dir
from zspex_toolkit.io.table import write_table
from zspex_toolkit.io.trial_tables import is_trial_dir, may_lack
from zspex_toolkit.io.validate import check_data_dir

TRIALS = {"ann-1": "present", "ann-2": "single", "bob-1": "absent"}


@pytest.fixture
def trials(tmp_path):
    """Tables alone, of a trial of each condition; cyd and dan are heard but never asked for."""
    path = tmp_path / "trials"
    tables = {
        **{name: dict.fromkeys(TRIALS, "x.wav") for name in ("wav.scp", "spk1.scp", "enroll_spk1.scp")},
        "utt2spk": {trial: trial[:3] for trial in TRIALS},
        "spk2utt": {"ann": "ann-1 ann-2", "bob": "bob-1"},
        "spk2gender": {"ann": "f", "bob": "m", "cyd": "m", "dan": "m"},
        "utt2condition": TRIALS,
        "spk2.scp": {"ann-1": "x.wav", "bob-1": "x.wav"},
        "utt2spk2": {"ann-1": "cyd", "bob-1": "cyd"},
        "spk3.scp": {"bob-1": "x.wav"},
        "utt2spk3": {"bob-1": "dan"},
    }
    for name, table in tables.items():
        write_table(path / name, table)
    return path


def faults_of(path) -> list[str]:
    return [str(fault).replace(f"{path}/", "") for fault in check_data_dir(path).faults]


def without(path, name, trial):
    lines = (path / name).read_text().splitlines(keepends=True)
    (path / name).write_text("".join(line for line in lines if not line.startswith(trial)))


def test_lines_that_a_condition_has_no_use_for_may_be_missing(trials):
    assert is_trial_dir(trials) and faults_of(trials) == []


@pytest.mark.parametrize("name", ["spk1.scp", "enroll_spk1.scp", "wav.scp"])
def test_a_trial_without_mixture_reference_or_enrollment_is_named(trials, name):
    without(trials, name, "ann-2")
    assert faults_of(trials) == [f"{name}: no line for 'ann-2' (utt2spk:2)"]
    (trials / name).unlink()
    assert faults_of(trials) == [f"{name}: no such file"]


def test_an_interferer_that_should_be_there_is_named(trials):
    without(trials, "spk2.scp", "ann-1")
    without(trials, "utt2spk3", "bob-1")
    write_table(trials / "utt2spk3", {"ann-1": "dan"})
    assert faults_of(trials) == [
        "spk2.scp: no line for 'ann-1' (utt2spk:1)",
        "utt2spk3: no line for 'bob-1' (utt2spk:3)",
    ]


def test_a_gender_of_someone_who_is_never_heard_is_named(trials):
    write_table(trials / "spk2gender", {"ann": "f", "bob": "m", "eve": "f"})
    assert faults_of(trials) == ["spk2gender:3: 'eve' is not in spk2utt"]


def test_an_unknown_condition_is_named(trials):
    write_table(trials / "utt2condition", {**TRIALS, "bob-1": "gone"})
    assert faults_of(trials)[0] == "utt2condition:3: expected 'present', 'absent' or 'single', got 'gone'"


def test_directories_without_conditions_need_every_line(trials):
    (trials / "utt2condition").unlink()
    assert not is_trial_dir(trials)
    assert "spk2.scp: no line for 'ann-2' (utt2spk:2)" in faults_of(trials)


def test_fixing_drops_the_trials_that_lack_what_they_need(trials):
    without(trials, "enroll_spk1.scp", "bob-1")
    fix_data_dir(trials)
    assert (trials / "utt2condition").read_text() == "ann-1 present\nann-2 single\n"
    assert not (trials / "spk3.scp").exists() and (trials / ".backup" / "spk3.scp").exists()
    assert faults_of(trials) == []


def test_every_interferer_counts_as_a_speaker_of_the_set(trials, tmp_path):
    write_table(tmp_path / "train" / "utt2spk", {"dan-1": "dan"})
    faults = [str(fault) for fault in check_data_dir(trials, other=tmp_path / "train").faults]
    assert faults == [f"{trials}/utt2spk3:1: speaker 'dan' is also in {tmp_path}/train"]


def test_noise_may_be_missing_anywhere():
    assert all(may_lack("noise1.scp", condition) for condition in (b"present", b"absent", b"single"))
