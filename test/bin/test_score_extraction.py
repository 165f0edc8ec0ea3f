"""The commands score mixtures, then what was extracted from them."""

import json
import sys
from pathlib import Path

import pytest

from zspex_toolkit.bin import score_extraction, score_mixtures

sys.path.insert(0, str(Path(__file__).parents[1] / "infer"))  # for the trials whose scores are known
from made_up_trials import make_trials, write_outputs


def test_what_was_extracted_is_scored_over_the_mixtures(tmp_path, capsys):
    trials = make_trials(tmp_path)
    outputs = write_outputs(
        tmp_path / "net" / "extracted" / "test", trials, lambda _, target, rest: target + 0.1 * rest
    )
    mixture, scores = tmp_path / "mixture", tmp_path / "net" / "scores" / "test"
    score_mixtures.main(
        [*("--data", str(trials), "--out", str(mixture), "--metrics", "si_sdr", "--expected_si_sdr", "0.0")]
    )
    score_extraction.main(
        [
            *("--data", str(trials), "--extracted", str(outputs), "--out", str(scores), "--metrics", "si_sdr"),
            *("--mixture_scores", str(mixture), "--nj", "2"),
        ]
    )
    found = json.loads((scores / "scores.json").read_text())
    assert found["groups"][0]["metrics"]["si_sdri"]["mean"] == pytest.approx(20, abs=0.02)
    assert "net, 8 trials, 0 with a measure dropped: si_sdr 20.0" in capsys.readouterr().out
