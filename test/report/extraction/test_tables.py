"""The tables of an experiment with worked scores, and how figures are printed."""

import dataclasses

import pytest

from zspex_toolkit.report.extraction.scores import Scored, read_extraction_scores
from zspex_toolkit.report.extraction.tables import (
    cell,
    condition_table,
    cost_table,
    figure,
    group_tables,
    main_table,
    measured,
)


@pytest.fixture
def scored(tse_exp):
    """``scored(set)``: the systems of a set."""
    return lambda name: [one for one in read_extraction_scores(tse_exp) if one.set == name]


def test_the_unprocessed_mixture_is_first_and_gains_nothing(scored):
    grid = main_table(scored("test"))
    assert grid.head[:5] == ("System", "Trials", "Dropped", "SI-SDR, dB", "SI-SDRi, dB")
    assert [row[0] for row in grid.rows] == ["Mixture", "SpEx+", "Z-SpEx"]
    assert grid.rows[0][1:5] == ("60", "1", "-0.50 [-0.75, -0.25]", "–")
    assert grid.rows[2][4] == "9.95 [9.70, 10.20]"
    assert grid.rows[0][grid.head.index("SI-SDRi > 1 dB, %")] == "–"


def test_the_note_gives_the_interval_over_speakers_and_the_figure_that_others_found(scored):
    systems = scored("test")
    systems[0] = dataclasses.replace(systems[0], facts={**systems[0].facts, "expected_si_sdr": 0.0})
    note = main_table(systems).note
    assert "SpEx+ 7.95 [7.45, 8.45]; Z-SpEx 9.95 [9.45, 10.45]." in note
    assert note.endswith("Others found a mean SI-SDR of 0.00 dB for the unprocessed mixtures.")


def test_silent_outputs_have_a_column_only_where_there_are_any(scored):
    def with_silent(share):
        systems = scored("test")
        group = dict(systems[1].facts["groups"][0])
        group["metrics"] = {**group["metrics"], "silent_output": {"mean": share, "interval": [share, share]}}
        return [*systems[:1], dataclasses.replace(systems[1], facts={**systems[1].facts, "groups": [group]})]

    assert "Silent outputs, %" not in main_table(with_silent(0.0)).head
    grid = main_table(with_silent(0.25))
    assert [row[grid.head.index("Silent outputs, %")] for row in grid.rows] == ["–", "25.0 [25.0, 25.0]"]


def test_every_property_has_a_row_for_each_of_its_values_and_systems(scored):
    pairs, snrs = group_tables(scored("test"))
    assert pairs.title == "By genders of the two speakers"
    assert [row[:3] for row in pairs.rows[:4]] == [
        ("different", "Mixture", "36"),
        ("different", "SpEx+", "36"),
        ("different", "Z-SpEx", "36"),
        ("female", "Mixture", "12"),
    ]
    assert [row[0] for row in snrs.rows] == ["-1.0"] * 3 + ["0.0"] * 3


def test_conditions_tell_what_is_left_of_an_absent_target(scored):
    grid = condition_table(scored("test_absent"))
    rows = {(row[0], row[1]): dict(zip(grid.head, row, strict=True)) for row in grid.rows}
    assert rows["absent", "Z-SpEx"]["Energy left, dB"].startswith("-27.9 [")
    assert rows["absent", "Z-SpEx"]["SI-SDR, dB"] == "–"
    assert rows["present", "Z-SpEx"]["SI-SDRi, dB"] == "9.70 [9.45, 9.95]"


def test_of_a_target_that_speaks_alone_the_mixture_tells_nothing():
    group = {"by": "condition", "value": "single", "num_trials": 2, "metrics": {"si_sdr": {"mean": 99.0}}}
    groups = [group, {**group, "value": "present", "metrics": {"si_sdr": {"mean": 0.5}}}]
    grid = condition_table([Scored(system, "test", "", {"groups": groups}, {}) for system in ("mixture", "zspex")])
    assert [row[3] for row in grid.rows] == ["–", "99.00", "0.50", "0.50"]


def test_one_condition_alone_needs_no_table(scored):
    assert condition_table(scored("test")) is None


def test_cost_is_told_of_systems_that_know_it(scored):
    grid = cost_table(scored("test"))
    assert grid.rows == (
        ("SpEx+", "11,138,734", "2.50", "0.2500", "300"),
        ("Z-SpEx", "11,138,734", "2.50", "0.2500", "300"),
    )
    assert cost_table(scored("test")[:1]) is None


def made_up(by="all", value="all", **metrics):
    groups = [{"by": by, "value": value, "num_trials": 4, "metrics": metrics}]
    return Scored("zspex", "test", "", {"groups": groups}, {})


def test_a_cell_is_the_mean_with_its_interval():
    entry = {"mean": 0.03125, "interval": [0.0, 0.0625], "speaker_interval": [0.01, 0.05]}
    one = made_up(confusion=entry)
    assert cell(one, "confusion") == "3.1 [0.0, 6.2]"
    assert cell(one, "confusion", interval="speaker_interval") == "3.1 [1.0, 5.0]"
    assert cell(made_up(confusion={"mean": 0.03125}), "confusion") == "3.1"


def test_what_was_not_computed_is_a_dash():
    assert cell(made_up(), "pesq") == "–"
    assert cell(made_up(pesq={"mean": None}), "pesq") == "–"
    assert cell(made_up(pesq={"mean": 2.0}), "pesq", "pair", "female") == "–"


@pytest.mark.parametrize(("value", "text"), [(-0.01, "0.0"), (0.04, "0.0"), (-0.06, "-0.1")])
def test_zero_has_no_sign(value, text):
    assert figure("energy_left_db", value) == text


def test_only_measures_that_some_system_has_get_a_column():
    systems = [made_up(pesq={"mean": None}, stoi={"mean": 0.9}), made_up(si_sdr={"mean": 1.0})]
    assert measured(systems, ("si_sdr", "pesq", "stoi")) == ["si_sdr", "stoi"]
    assert measured(systems, ("si_sdr",), by="pair") == []
