"""Bar chart of the accuracy tables: a panel per table, a group per SNR, a bar per function."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from zspex_toolkit.report.colours import INK, new_figure, row_colours, style
from zspex_toolkit.report.paper_figures import label
from zspex_toolkit.report.scores import Score
from zspex_toolkit.report.tables import Table, column_label

_GROUP = 0.86  # share of the distance between two groups that bars fill
_WIDEST = 0.2  # bar, in the same unit
_PAPER = {"marker": "D", "color": INK, "markerfacecolor": "white", "markersize": 4, "linestyle": "none"}


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
        _draw_panel(axes, table, rows, colours, with_paper)
    figure.suptitle(title, fontsize=13, color=INK)
    handles = [Patch(facecolor=colours[row], label=label(row)) for row in rows]
    if with_paper:
        handles.append(Line2D([], [], **_PAPER, label="paper"))
    per_line = len(handles) if len(handles) <= 5 else (len(handles) + 1) // 2
    figure.legend(handles=handles, loc="outside lower center", ncols=per_line, frameon=False, fontsize=9)
    return figure


def _draw_panel(axes: Axes, table: Table, rows: tuple[str, ...], colours: dict[str, str], with_paper: bool) -> None:
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
