"""The bar chart shows every measured cell and none else."""

import pytest

from zspex_toolkit.report.accuracy_bars import accuracy_bars
from zspex_toolkit.report.scores import read_scores
from zspex_toolkit.report.tables import build_tables


@pytest.fixture
def draw(exp):
    """``draw(with_paper)``: the chart of the made-up experiment."""
    return lambda paper=False: accuracy_bars(build_tables(read_scores(exp)), title="", with_paper=paper)


def test_a_bar_stands_for_every_measured_cell(draw):
    panel = draw().axes[0]
    assert [round(bar.get_height()) for bar in panel.patches] == [25, 50, 75, 100] * 3
    assert [text.get_text() for text in panel.texts][:4] == ["25.0", "50.0", "75.0", "100.0"]


def test_each_table_has_its_panel_and_functions_that_were_not_run_take_no_room(draw):
    figure = draw()
    titles = ["Table 2: given e2, get e1", "Table 3: given e1, get e2"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == titles
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Before", "Sub", "Mul", "Clean"]


def test_the_papers_figures_are_marked_on_its_own_corpus_only(draw):
    without, marked = (draw(paper).axes[0].lines for paper in (False, True))
    assert len(without) == 0
    assert [line.get_ydata()[0] for line in marked][:2] == [36.5, 86.2]
    assert len(marked) == 3 * 4  # SNRs and the rows that were measured


def test_no_figure_is_hidden_by_its_whisker(draw):
    panel = draw().axes[0]
    sub = next(text for text in panel.texts if text.get_text() == "50.0")
    assert sub.get_position()[1] > 62.5  # the upper end of its interval
