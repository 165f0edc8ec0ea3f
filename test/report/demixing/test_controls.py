"""Controls of the harness stand in their own section, and one that fails is told."""

import dataclasses

import pytest

from zspex_toolkit.report.demixing.controls import control_lines, failed_controls
from zspex_toolkit.report.demixing.scores import read_scores


def with_control(exp, function, control, accuracy):
    """The scores of ``exp`` and a control of one of their cells."""
    scores = read_scores(exp)
    cell = next(s for s in scores if (s.function, s.given, s.column, s.set) == (function, "e2", 0.0, "test"))
    return [*scores, dataclasses.replace(cell, control=control, accuracy=accuracy, accuracy_interval=None)]


def test_a_control_is_a_line_with_its_meaning(exp):
    lines = control_lines(with_control(exp, "subtract", "shuffled_known", 0.125))
    assert "| shuffled_known | Sub | e2 | 0 dB | test | 8 | 1 | 12.5 | – | 0.875 | 0.2500 | 6.2 |" in lines
    assert "- `shuffled_known`: the known embedding of a speaker who is not in the mixture: must fall to" in lines[4]


def test_without_controls_there_is_no_section(exp):
    assert control_lines(read_scores(exp)) == []


@pytest.mark.parametrize(
    ("function", "control", "accuracy", "message"),
    [
        ("clean", "oracle", 1.0, None),
        ("clean", "oracle", 0.875, "oracle of Clean, given e2, 0 dB, test: 87.5 % is not the 100.0 % of Clean"),
        ("subtract", "shuffled_known", 0.375, None),  # within the interval of Before
        (
            "subtract",
            "shuffled_known",
            0.5,
            "shuffled_known of Sub, given e2, 0 dB, test: 50.0 % is above the 25.0 % of Before",
        ),
    ],
)
def test_an_oracle_below_clean_and_a_stranger_above_before_are_told(exp, function, control, accuracy, message):
    expected = [f"control {message}"] if message else []
    assert failed_controls(with_control(exp, function, control, accuracy)) == expected
