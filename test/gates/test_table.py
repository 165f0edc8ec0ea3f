"""A gate's verdict follows from its limit and its figure alone, and the page tells all of them."""

import math

import pytest

from zspex_toolkit.gates.table import Checked, Figure, Gate, markdown

GAIN = Gate("gain", "gain", "dB", print, at_least=9)
LEFT = Gate("left", "energy left", "dB", print, at_most=-30)
KNOWN = Gate("known", "for information", "dB", print)


@pytest.mark.parametrize(
    ("gate", "value", "verdict"),
    [
        (GAIN, 9.0, "passed"),
        (GAIN, 8.99, "failed"),
        (LEFT, -30.0, "passed"),
        (LEFT, -29.9, "failed"),
        (GAIN, math.nan, "failed"),
        (LEFT, math.nan, "failed"),
        (GAIN, None, "measured"),
        (KNOWN, -50.0, "measured"),
    ],
)
def test_a_limit_itself_passes_and_what_could_not_be_measured_does_not(gate, value, verdict):
    assert gate.verdict(Figure(value)) == verdict


def test_the_page_has_a_row_for_each_gate_and_a_table_for_details():
    details = Figure(-12.0, (-13.0, -11.0), "3 trials", rows=(("a|b", "refused"),))
    page = markdown(
        "Gates of me", [Checked(LEFT, details), Checked(KNOWN, Figure(None, remark="needs --data"))], ["x: 1"]
    )
    assert page.splitlines()[4:6] == [
        "| left | energy left | at most -30 dB | -12 dB [-13, -11] | failed | 3 trials |",
        "| known | for information |  | - | measured | needs --data |",
    ]
    assert "## left: energy left" in page and "| a\\|b | refused |" in page and page.endswith("- x: 1\n")
