"""Paired differences, worked by hand."""

import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.report.extraction.ladder import (
    build_ladder,
    differences,
    differences_table,
    ladder_facts,
    ladder_table,
    paired_difference,
)
from zspex_toolkit.report.extraction.scores import Scored


def scored(system, gains, parameters=None):
    trials = {utt: {"id": utt, "target": utt[0], "condition": "present", "si_sdri": g} for utt, g in gains.items()}
    found = [gain for gain in gains.values() if gain is not None]
    metrics = {"si_sdri": {"mean": sum(found) / len(found), "interval": [0.0, 9.0]}}
    groups = [{"by": "all", "value": "all", "num_trials": len(trials), "metrics": metrics}]
    return Scored(system, "test", "", {"groups": groups, "num_parameters": parameters}, trials)


MIXTURE = scored("mixture", {"a1": 0.0, "a2": 0.0, "b1": 0.0})
ONE = scored("spex_plus", {"a1": 1.0, "a2": 3.0, "b1": 5.0}, 1000)
TWO = scored("zspex", {"a1": 2.0, "a2": 4.0, "b1": 9.0}, 2000)
THREE = scored("without_norm", {"a1": 2.0, "a2": 4.0, "b1": 8.0}, 2000)


def test_a_difference_is_the_mean_over_trials_that_both_have():
    found = paired_difference(TWO, ONE)
    assert (found.si_sdri, found.num_trials) == (2.0, 3)  # (1 + 1 + 4) / 3
    part = paired_difference(scored("x", {"a1": 2.0, "a2": None, "c1": 9.0}), ONE)
    assert (part.si_sdri, part.num_trials) == (1.0, 1)
    assert part.interval is None and part.text() == "+1.00"  # one speaker, drawn anew, says nothing of others
    assert paired_difference(scored("x", {"c1": 9.0}), ONE) is None


def test_the_interval_draws_whole_speakers():
    # Speaker a differs by 1 in both trials, b by 4 in its one: draws of two speakers give 1, 2 or 4.
    assert paired_difference(TWO, ONE).interval == (1.0, 4.0)
    # The same gain everywhere leaves no doubt, however much the trials differ.
    shifted = scored("x", {utt: trial["si_sdri"] + 2 for utt, trial in ONE.trials.items()})
    assert paired_difference(shifted, ONE).interval == (2.0, 2.0)


def test_every_system_is_compared_with_the_first_the_mixture_apart():
    found = differences([MIXTURE, ONE, TWO, THREE])
    assert [(d.system, d.reference) for d in found] == [("zspex", "spex_plus"), ("without_norm", "spex_plus")]
    assert differences_table(found).rows[0] == ("Z-SpEx", "SpEx+", "3", "+2.00 [+1.00, +4.00]")


def test_a_row_is_compared_with_the_one_before_or_the_one_named():
    rungs = build_ladder([ONE, TWO, THREE], ("spex_plus", "zspex", "without_norm:spex_plus"))
    references = [rung.difference and rung.difference.reference for rung in rungs]
    assert references == [None, "spex_plus", "spex_plus"]
    rows = ladder_table(rungs).rows
    assert rows[0][:5] == ("SpEx+", "1,000", "3.00 [0.00, 9.00]", "–", "–")
    assert rows[1][:5] == ("Z-SpEx", "2,000", "5.00 [0.00, 9.00]", "+2.00 [+1.00, +4.00]", "SpEx+")
    assert ladder_facts(rungs)[1] == {
        "system": "zspex",
        "si_sdri": 5.0,
        "difference": {
            "system": "zspex",
            "reference": "spex_plus",
            "num_trials": 3,
            "si_sdri": 2.0,
            "interval": (1.0, 4.0),
        },
    }


@pytest.mark.parametrize("entry", ["zspx", "zspex:zspx"])
def test_a_system_without_scores_is_named(entry):
    with pytest.raises(ConfigError, match="ladder: no scores of 'zspx'; scored systems are spex_plus, zspex"):
        build_ladder([ONE, TWO], ("spex_plus", entry))
