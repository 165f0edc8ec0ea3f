"""Where the figures come from."""

from zspex_toolkit.report.extraction.provenance import (
    missing_trainings,
    scored_facts,
    set_table,
    training_facts,
    training_table,
    versions_line,
)
from zspex_toolkit.report.extraction.scores import Scored, read_extraction_scores
from zspex_toolkit.report.trainings import read_training


def test_a_training_tells_batch_steps_hours_time_and_commit(tse_exp):
    facts = training_facts("zspex", read_training(tse_exp / "zspex"), read_extraction_scores(tse_exp))
    config_hash = facts.pop("config_hash")
    assert facts == {
        "system": "zspex",
        "effective_batch": 16,
        "epochs": 3,
        "steps": 300,
        "hours": 3.0,
        "seconds": 180.0,
        "best_epoch": 2,
        "valid_si_sdri": 20 / 3,
        "amp": "bf16",
        "seed": 7,
        "trained_commit": "f00d",
        "scored_commit": "abc123",
    }
    row = training_table([{**facts, "config_hash": config_hash}]).rows[0]
    assert row == ("Z-SpEx", "16", "3", "300", "3.0", "3.0", "2", "6.67", "bf16", "7", config_hash, "f00d", "abc123")


def test_what_a_folder_does_not_say_is_a_dash(tmp_path):
    row = training_table([training_facts("zspex", read_training(tmp_path), [])]).rows[0]
    assert row == ("Z-SpEx", *["–"] * 12)


def test_a_list_of_trials_is_told_once(tse_exp):
    grid = set_table(read_extraction_scores(tse_exp))
    assert grid.rows[1] == ("test", "8000", "60", "1", "min", "both", "list-test")
    assert [row[0] for row in grid.rows] == ["seen", "test", "test_absent"]


def test_versions_that_agree_stand_once():
    one, two = (Scored("a", "test", "", {"versions": {"torch": version}}, {}) for version in ("2.0", "2.1"))
    assert versions_line([one, one]) == "torch 2.0"
    assert versions_line([one, two]) == "torch 2.0; torch 2.1"
    assert versions_line([Scored("a", "test", "", {}, {})]) == "–"


def test_machines_get_all_facts_and_of_the_groups_what_the_tables_tell(tse_exp):
    facts = scored_facts(read_extraction_scores(tse_exp)[1])
    assert (facts["system"], facts["set"], facts["path"]) == ("spex_plus", "seen", "spex_plus/scores/seen/scores.json")
    assert facts["dropped"] == ["lost-1"]
    entry = {"mean": 1.0, "interval": [0.0, 2.0], "speaker_interval": [-1.0, 3.0], "num_trials": 3}
    metrics = {"si_sdr": entry, "si_sdr_mixture": entry}
    groups = [{"by": by, "value": "x", "num_trials": 3, "metrics": metrics} for by in ("all", "pair")]
    whole, part = scored_facts(Scored("a", "test", "", {"groups": groups}, {}))["groups"]
    assert part == {
        "by": "pair",
        "value": "x",
        "num_trials": 3,
        "metrics": {"si_sdr": {"mean": 1.0, "interval": [0.0, 2.0]}},
    }
    assert whole["metrics"] == {"si_sdr": {"mean": 1.0, "interval": [0.0, 2.0], "speaker_interval": [-1.0, 3.0]}}


def test_a_system_without_history_is_a_line(tse_exp, tmp_path):
    trainings = {"spex_plus": read_training(tse_exp / "spex_plus"), "zspex": read_training(tmp_path)}
    lines = missing_trainings(read_extraction_scores(tse_exp), trainings)
    assert lines == ["zspex: no history.jsonl, so no learning curve"]
