"""Controls of the harness stand in their own section, and one that fails is told."""

import dataclasses

from zspex_toolkit.report.controls import control_lines, failed_controls
from zspex_toolkit.report.scores import read_scores


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


def test_an_oracle_that_equals_clean_passes(exp):
    assert failed_controls(with_control(exp, "clean", "oracle", 1.0)) == []


def test_an_oracle_below_clean_is_told(exp):
    assert failed_controls(with_control(exp, "clean", "oracle", 0.875)) == [
        "control oracle of Clean, given e2, 0 dB, test: 87.5 % is not the 100.0 % of Clean"
    ]


def test_a_network_that_works_with_a_strangers_embedding_is_told(exp):
    assert (
        failed_controls(with_control(exp, "subtract", "shuffled_known", 0.375)) == []
    )  # within the interval of Before
    assert failed_controls(with_control(exp, "subtract", "shuffled_known", 0.5)) == [
        "control shuffled_known of Sub, given e2, 0 dB, test: 50.0 % is above the 25.0 % of Before"
    ]
