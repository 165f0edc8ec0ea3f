"""Tests of the command plan_trials."""

import pytest

from zspex_toolkit.bin.plan_trials import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.simulation.plan import read_trials


def test_every_option_reaches_the_plan(voices, tmp_path):
    main(
        [
            *("--data", str(voices / "data" / "test"), "--out", str(tmp_path / "trials"), "--snr_db", "-3,3"),
            *("--speakers", "2", "--per_speaker", "4", "--enrollment_seconds", "0.5,1.0", "--max_seconds", "0.75"),
            *("--absent_share", "0.4", "--single_share", "0.2", "--seed", "5", "--nj", "2"),
            *("--num_speakers", "3"),
        ]
    )
    trials = read_trials(tmp_path / "trials" / "plan.jsonl")
    assert len(trials) == 8 and {trial.mixture.num_samples for trial in trials} == {12000}
    assert all(8000 <= trial.enrollment.passage.num_samples <= 16000 for trial in trials)
    ratios = [trial.mixture.snr_db for trial in trials if trial.condition != "single"]
    assert all(-3 <= ratio <= 3 for ratio in ratios) and len(set(ratios)) == len(ratios)
    assert {trial.mixture.seed for trial in trials} == {5}
    assert {len(trial.mixture.sources) for trial in trials if trial.condition != "single"} == {3}


def test_a_misspelt_option_names_the_nearest(voices, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown setting --absent; did you mean --absent_share\?"):
        main(["--data", str(voices / "data" / "test"), "--out", str(tmp_path / "trials"), "--absent", "0.1"])
