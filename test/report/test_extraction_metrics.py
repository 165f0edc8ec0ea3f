"""How figures are printed."""

import pytest

from zspex_toolkit.report.extraction_metrics import cell, figure, measured
from zspex_toolkit.report.extraction_scores import Scored


def scored(by="all", value="all", **metrics):
    groups = [{"by": by, "value": value, "num_trials": 4, "metrics": metrics}]
    return Scored("zspex", "test", "", {"groups": groups}, {})


def test_a_cell_is_the_mean_with_its_interval():
    entry = {"mean": 0.03125, "interval": [0.0, 0.0625], "speaker_interval": [0.01, 0.05]}
    one = scored(confusion=entry)
    assert cell(one, "confusion") == "3.1 [0.0, 6.2]"
    assert cell(one, "confusion", interval="speaker_interval") == "3.1 [1.0, 5.0]"
    assert cell(scored(confusion={"mean": 0.03125}), "confusion") == "3.1"


def test_what_was_not_computed_is_a_dash():
    assert cell(scored(), "pesq") == "–"
    assert cell(scored(pesq={"mean": None}), "pesq") == "–"
    assert cell(scored(pesq={"mean": 2.0}), "pesq", "pair", "female") == "–"


@pytest.mark.parametrize(("value", "text"), [(-0.01, "0.0"), (0.04, "0.0"), (-0.06, "-0.1")])
def test_zero_has_no_sign(value, text):
    assert figure("energy_left_db", value) == text


def test_only_measures_that_some_system_has_get_a_column():
    systems = [scored(pesq={"mean": None}, stoi={"mean": 0.9}), scored(si_sdr={"mean": 1.0})]
    assert measured(systems, ("si_sdr", "pesq", "stoi")) == ["si_sdr", "stoi"]
    assert measured(systems, ("si_sdr",), by="pair") == []
