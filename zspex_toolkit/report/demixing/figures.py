"""The figures of a de-mixing experiment: bars of the accuracy tables, and Figure 6 of the paper.

Bars: a panel per table, a group per SNR, a bar per function. Figure 6: the mean absolute error against epochs, a panel
per function, a curve per SNR. The accuracy of classifier B over the epochs is drawn the same way.
"""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from zspex_toolkit.report.colours import INK, column_colours, new_figure, row_colours, style
from zspex_toolkit.report.demixing.networks import Network
from zspex_toolkit.report.demixing.paper_figures import label, paper_order
from zspex_toolkit.report.demixing.scores import Score
from zspex_toolkit.report.demixing.tables import Table, column_label

_GROUP = 0.86  # share of the distance between two groups that bars fill
_WIDEST = 0.2  # bar, in the same unit
_PAPER = {"marker": "D", "color": INK, "markerfacecolor": "white", "markersize": 4, "linestyle": "none"}

_STYLES = {"train": (0, (3, 1.6)), "valid": "solid"}
_AXES = {"mae": "mean absolute error", "accuracy": "accuracy of B"}


def accuracy_bars(tables: list[Table], *, title: str, with_paper: bool) -> Figure:
    """Test accuracies with their 95 % intervals, for :func:`~zspex_toolkit.report.colours.save_figure`.

    Args:
        tables: drawn from top to bottom.
        title: above the panels.
        with_paper: mark the paper's figures, which makes sense on the paper's corpus only.
    """
    measured = {row for table in tables for row in table.measured()}
    rows = tuple(dict.fromkeys(row for table in tables for row in table.rows if row in measured))
    colours = row_colours(rows)
    width = max(0.36 * len(rows) * max(len(table.columns) for table in tables) + 1.2, 7.0)
    figure = new_figure(width, 3.0 * len(tables) + 1.2)
    panels = figure.subplots(len(tables), 1, squeeze=False)[:, 0]
    for axes, table in zip(panels, tables, strict=True):
        _draw_bars(axes, table, rows, colours, with_paper)
    figure.suptitle(title, fontsize=13, color=INK)
    handles = [Patch(facecolor=colours[row], label=label(row)) for row in rows]
    if with_paper:
        handles.append(Line2D([], [], **_PAPER, label="paper"))
    per_line = len(handles) if len(handles) <= 5 else (len(handles) + 1) // 2
    figure.legend(handles=handles, loc="outside lower center", ncols=per_line, frameon=False, fontsize=9)
    return figure


def _draw_bars(axes: Axes, table: Table, rows: tuple[str, ...], colours: dict[str, str], with_paper: bool) -> None:
    bar = min(_GROUP / len(rows), _WIDEST)
    for group, column in enumerate(table.columns):
        for position, row in enumerate(rows):
            place = group + bar * (position - (len(rows) - 1) / 2)
            printed = table.printed.get((row, column)) if with_paper else None
            score = table.cells.get((row, column, "test"))
            if score is not None:
                axes.bar(place, 100 * score.accuracy, 0.9 * bar, color=colours[row])
                _draw_interval(axes, place, score, printed or 0.0)
            if printed is not None:
                axes.plot(place, printed, **_PAPER)
    style(axes)
    axes.set_title(table.title, fontsize=11, color=INK, loc="left")
    axes.set_xticks(range(len(table.columns)), [column_label(column) for column in table.columns], fontsize=10)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.5, len(table.columns) - 0.5)
    axes.set_ylim(0, 110)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("test accuracy, %", fontsize=9, color=INK)


def _draw_interval(axes: Axes, place: float, score: Score, printed: float) -> None:
    """Draw the whisker, and the figure above all that is drawn on the bar."""
    height = 100 * score.accuracy
    low, high = (100 * bound for bound in score.accuracy_interval or (score.accuracy, score.accuracy))
    axes.vlines(place, low, high, color=INK, linewidth=1.0)
    top = max(height, high, printed + 1.0 if printed else 0.0)
    axes.text(place, top + 1.0, f"{height:.1f}", ha="center", va="bottom", fontsize=7, color=INK)


def training_curves(networks: list[Network], *, title: str, statistic: str = "mae") -> Figure:
    """The figure, for :func:`~zspex_toolkit.report.colours.save_figure`.

    Args:
        networks: of one direction, each with a history.
        title: above the panels.
        statistic: ``mae`` (Figure 6), ``accuracy``, or a single loss, ``loss_<name>``.
    """
    functions = sorted({network.function for network in networks}, key=paper_order)
    columns = sorted({network.column for network in networks}, key=lambda column: (isinstance(column, str), column))
    colours = column_colours(columns)
    num_columns = min(len(functions), 3 if len(functions) in (1, 2, 3, 5, 6, 9) else 4)
    num_rows = math.ceil(len(functions) / num_columns)
    figure = new_figure(max(3.4 * num_columns, 6.0), 2.7 * num_rows + 1.1)
    grid = figure.subplots(num_rows, num_columns, sharex=True, sharey=True, squeeze=False)
    for position, function in enumerate(functions):
        axes = grid.flat[position]
        _draw_curves(axes, [network for network in networks if network.function == function], colours, statistic)
        axes.set_title(label(function), fontsize=11, color=INK)
        if position + num_columns >= len(functions):  # nothing below: this panel carries the axis
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("epoch", fontsize=10, color=INK)
        if position % num_columns == 0:
            axes.set_ylabel(_AXES.get(statistic, statistic.removeprefix("loss_")), fontsize=10, color=INK)
    for axes in grid.flat[len(functions) :]:
        axes.set_visible(False)
    figure.suptitle(title, fontsize=13, color=INK)
    handles = [Line2D([], [], color=colours[column], linewidth=2, label=column_label(column)) for column in columns]
    handles += [Line2D([], [], color=INK, linestyle=style_, label=part) for part, style_ in _STYLES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=10)
    return figure


def _draw_curves(axes: Axes, networks: list[Network], colours: dict, statistic: str) -> None:
    for network in networks:
        epochs = [epoch["epoch"] for epoch in network.training.history]
        marker = "o" if len(epochs) == 1 else None  # one epoch has no line
        for part, line in _STYLES.items():
            axes.plot(
                epochs,
                network.training.curve(part, statistic),
                color=colours[network.column],
                linestyle=line,
                linewidth=1.7 if part == "valid" else 1.2,
                alpha=1.0 if part == "valid" else 0.8,
                marker=marker,
                markersize=4,
            )
    style(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
