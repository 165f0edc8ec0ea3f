"""Scores are read whole or refused with the file and the fault."""

import json

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.scores import read_scores


def test_every_row_of_baselines_and_networks_is_read(exp):
    scores = read_scores(exp)
    assert len(scores) == 6 * (4 + 2 * 2)
    assert scores[0].path == "baseline/e1_snr-5/scores.json"
    assert scores[0].accuracy_interval == (0.125, 0.375)


def test_the_column_of_a_score_is_its_snr_or_its_microphone(tmp_path, row):
    rows = [row(), row(condition="array1", snr_db=None)]
    (tmp_path / "demix_e2_snr0_subtract").mkdir()
    (tmp_path / "demix_e2_snr0_subtract" / "scores.json").write_text(json.dumps(rows))
    assert [score.column for score in read_scores(tmp_path)] == [0.0, "array1"]


def test_an_experiment_without_scores_says_which_stage_to_run(tmp_path):
    with pytest.raises(DataDirError, match=r"no scores.json in demix_\*/ or baseline/\*/; run the scoring stage first"):
        read_scores(tmp_path)


def test_a_row_without_a_column_is_named(exp, row):
    broken = row()
    del broken["accuracy"], broken["list_hash"]
    path = exp / "demix_e2_snr0_subtract" / "scores.json"
    path.write_text(json.dumps([row(), broken]))
    with pytest.raises(DataDirError, match=r"scores.json: row 2: no column accuracy, list_hash; score again"):
        read_scores(exp)


def test_an_accuracy_in_per_cent_is_refused(exp, row):
    path = exp / "demix_e2_snr0_subtract" / "scores.json"
    path.write_text(json.dumps([row(accuracy=89.1)]))
    with pytest.raises(DataDirError, match=r"row 1: expected an accuracy from 0 to 1, got 89.1"):
        read_scores(exp)


def test_a_cut_off_file_is_refused(exp):
    path = exp / "demix_e2_snr0_subtract" / "scores.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(DataDirError, match=r"demix_e2_snr0_subtract/scores.json: expected a JSON list of scores"):
        read_scores(exp)


def test_two_scores_for_one_cell_are_refused_and_both_files_named(exp, row):
    (exp / "demix_e2_snr_all_subtract").mkdir()
    (exp / "demix_e2_snr_all_subtract" / "scores.json").write_text(json.dumps([row(condition="snr_all")]))
    with pytest.raises(DataDirError, match=r"demix_e2_snr0_subtract.* and demix_e2_snr_all_subtract.* both score"):
        read_scores(exp)


def test_a_control_is_not_the_cell_it_controls(exp, row):
    path = exp / "demix_e2_snr0_subtract" / "scores.json"
    path.write_text(json.dumps([row(), row(control="shuffled")]))
    controls = [score.control for score in read_scores(exp) if score.path.startswith("demix_e2_snr0_subtract")]
    assert controls == [None, "shuffled"]
