"""Scores are read whole or refused with the file and the fault."""

import json

import pytest
from support.made_up_demixing import score_row, write_scores

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.demixing.scores import read_scores


def test_every_row_of_baselines_and_networks_is_read(exp):
    scores = read_scores(exp)
    assert len(scores) == 6 * (4 + 2 * 2)
    assert scores[0].path == "baseline/e1_snr-5/scores.json"
    assert scores[0].accuracy_interval == (0.125, 0.375)


def test_the_column_of_a_score_is_its_snr_or_its_microphone(tmp_path):
    write_scores(tmp_path / "demix_e2_snr0_subtract", [score_row(), score_row(condition="array1", snr_db=None)])
    assert [score.column for score in read_scores(tmp_path)] == [0.0, "array1"]


def test_an_experiment_without_scores_says_which_stage_to_run(tmp_path):
    with pytest.raises(DataDirError, match=r"no scores.json in demix_\*/ or baseline/\*/; run the scoring stage first"):
        read_scores(tmp_path)


LACKING = {name: value for name, value in score_row().items() if name not in ("accuracy", "list_hash")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps([score_row(), LACKING]), "row 2: no column accuracy, list_hash; score again"),
        (json.dumps([score_row(accuracy=89.1)]), "row 1: expected an accuracy from 0 to 1, got 89.1"),
        (json.dumps([score_row()])[:50], "expected a JSON list of scores"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(exp, text, message):
    (exp / "demix_e2_snr0_subtract" / "scores.json").write_text(text)
    with pytest.raises(DataDirError, match=rf"demix_e2_snr0_subtract/scores.json: {message}"):
        read_scores(exp)


def test_two_scores_for_one_cell_are_refused_and_both_files_named(exp):
    write_scores(exp / "demix_e2_snr_all_subtract", [score_row(condition="snr_all")])
    with pytest.raises(DataDirError, match=r"demix_e2_snr0_subtract.* and demix_e2_snr_all_subtract.* both score"):
        read_scores(exp)


def test_a_control_is_not_the_cell_it_controls(exp):
    write_scores(exp / "demix_e2_snr0_subtract", [score_row(), score_row(control="shuffled")])
    controls = [score.control for score in read_scores(exp) if score.path.startswith("demix_e2_snr0_subtract")]
    assert controls == [None, "shuffled"]
