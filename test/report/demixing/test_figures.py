"""Bars show every measured cell and none else; Figure 6 has a panel per function, a pair of curves per SNR."""

import pytest

from zspex_toolkit.report.demixing.figures import accuracy_bars, training_curves
from zspex_toolkit.report.demixing.networks import read_networks
from zspex_toolkit.report.demixing.scores import read_scores
from zspex_toolkit.report.demixing.tables import build_tables


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


def panels(exp, given):
    networks = [network for network in read_networks(exp, []) if network.given == given]
    figure = training_curves(networks, title="Given e2, get e1")
    return figure, [axes for axes in figure.axes if axes.get_visible()]


def test_there_is_a_panel_per_function_in_the_papers_order(exp):
    assert [axes.get_title() for axes in panels(exp, "e2")[1]] == ["Sub", "Mul"]


def test_a_panel_has_train_and_valid_curves_for_every_snr(exp):
    lines = panels(exp, "e2")[1][0].lines
    assert len(lines) == 3 * 2
    assert len({line.get_color() for line in lines}) == 3
    assert [list(line.get_ydata()) for line in lines[:2]] == [[0.25, 0.125, 0.1875], [0.5, 0.25, 0.375]]


def test_the_legend_names_each_snr_and_both_parts(exp):
    figure, _ = panels(exp, "e2")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["-5 dB", "0 dB", "5 dB", "train", "valid"]


def test_panels_with_none_below_carry_the_epochs(exp):
    for name in ("concat1", "concat2", "new"):
        folder = exp / f"demix_e2_snr0_{name}"
        folder.mkdir()
        (folder / "history.jsonl").write_text('{"epoch": 1, "train": {"mae": 1}, "valid": {"mae": 2}}\n')
    axes = panels(exp, "e2")[1]
    assert [panel.get_xlabel() for panel in axes] == ["", "", "epoch", "epoch", "epoch"]  # 3 above, 2 below


def test_the_accuracy_over_the_epochs_is_drawn_the_same_way(exp):
    folder = exp / "demix_e2_snr0_new"
    folder.mkdir()
    line = '{"epoch": 1, "train": {"mae": 1, "accuracy": 0.5}, "valid": {"mae": 2, "accuracy": 0.25}}\n'
    (folder / "history.jsonl").write_text(line)
    networks = [network for network in read_networks(exp, []) if network.training.tells("accuracy")]
    figure = training_curves(networks, title="Given e2, get e1", statistic="accuracy")
    panel = figure.axes[0]
    assert [list(line.get_ydata()) for line in panel.lines] == [[0.5], [0.25]]
    assert panel.get_ylabel() == "accuracy of B"
