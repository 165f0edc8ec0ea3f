"""One look for every figure: colours that colour-blind readers can tell apart (Okabe and Ito, 2008), fonts, grids."""

from __future__ import annotations

import os

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from zspex_toolkit.io.atomic import atomic_path

INK = "#333333"
GRID = "#e3e3e3"

_COLUMNS = {-5.0: "#d55e00", 0.0: "#009e73", 5.0: "#0072b2", "array1": "#0072b2", "array2": "#d55e00"}
_ROWS = {
    "before": "#c9c9c9",
    "subtract": "#e69f00",
    "multiply": "#56b4e9",
    "concat1": "#f0d000",
    "concat2": "#009e73",
    "share_concat": "#cc79a7",
    "separate_concat": "#0072b2",
    "clean": "#5f5f5f",
}
_SYSTEMS = {"mixture": "#9a9a9a", "spex_plus": "#e69f00", "zspex": "#0072b2", "reference": "#5f5f5f"}
_FURTHER = ("#d55e00", "#882255", "#44aa99", "#999933", "#332288")


def column_colours(columns: list[float | str]) -> dict[float | str, str]:
    """A colour for each SNR or microphone, the same in every figure."""
    return _colours(columns, _COLUMNS, ("#cc79a7", "#e69f00", "#56b4e9", "#882255", "#5f5f5f"))


def row_colours(rows: tuple[str, ...]) -> dict[str, str]:
    """A colour for each function, greys for ``before`` and ``clean``."""
    return _colours(rows, _ROWS, _FURTHER)


def system_colours(systems: list[str]) -> dict[str, str]:
    """A colour for each extractor, greys for the mixture and the reference."""
    return _colours(systems, _SYSTEMS, ("#009e73", "#cc79a7", "#56b4e9", *_FURTHER))


def speaker_colours(speakers: list[str]) -> dict[str, str]:
    """A colour for each of a few speakers; beyond nine they come again."""
    hues = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933", "#5f5f5f")
    return _colours(speakers, {}, hues)


def _colours(names, fixed: dict, free: tuple[str, ...]) -> dict:
    further = [name for name in names if name not in fixed]
    return {name: fixed[name] if name in fixed else free[further.index(name) % len(free)] for name in names}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` x ``height`` inches that needs no display and touches no global state."""
    figure = Figure(figsize=(width, height), dpi=150, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    FigureCanvasAgg(figure)
    return figure


def style(axes: Axes) -> None:
    """Light horizontal grid behind the data, no box."""
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9a9a9a")
    axes.tick_params(colors=INK, labelsize=9, length=3)


def save_figure(figure: Figure, path: str | os.PathLike) -> None:
    """Write a PNG; the same figure gives the same bytes, and the file is complete or absent."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
