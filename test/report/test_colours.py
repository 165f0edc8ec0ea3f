"""Figures share their colours and are written whole."""

from zspex_toolkit.report.colours import column_colours, new_figure, row_colours, save_figure


def test_an_snr_keeps_its_colour_whatever_stands_beside_it():
    assert column_colours([0.0])[0.0] == column_colours([-5.0, 0.0, 5.0, 10.0])[0.0]


def test_no_two_functions_share_a_colour():
    rows = ("before", "subtract", "multiply", "concat1", "concat2", "share_concat", "separate_concat", "new", "clean")
    assert len(set(row_colours(rows).values())) == len(rows)


def test_the_same_figure_is_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        figure = new_figure(2, 2)
        figure.subplots().plot([0, 1], [1, 0])
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
