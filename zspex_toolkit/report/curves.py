"""Figure 6 of the paper: mean absolute error against epochs, a panel per function, a curve per SNR.

The accuracy of classifier B over the epochs is drawn the same way.
"""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from zspex_toolkit.report.colours import INK, column_colours, new_figure, style
from zspex_toolkit.report.networks import Network
from zspex_toolkit.report.paper_figures import label, paper_order
from zspex_toolkit.report.tables import column_label

_STYLES = {"train": (0, (3, 1.6)), "valid": "solid"}


_AXES = {"mae": "mean absolute error", "accuracy": "accuracy of B"}


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
        _draw_panel(axes, [network for network in networks if network.function == function], colours, statistic)
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


def _draw_panel(axes: Axes, networks: list[Network], colours: dict, statistic: str) -> None:
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
