"""A table of words."""

from zspex_toolkit.report.grid import Grid


def test_a_section_has_title_table_and_note():
    grid = Grid("Cost", ("System", "set", "dB"), (("a", "x", "1.0"),), num_names=2, note="Measured.")
    assert grid.section(2) == [
        "## Cost",
        "",
        "| System | set | dB |",
        "| --- | --- | ---: |",
        "| a | x | 1.0 |",
        "",
        "Measured.",
        "",
    ]
