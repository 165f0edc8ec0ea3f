"""Learning curves of extractors: training loss, its terms, validation SI-SDRi, against epochs and hours of audio."""

from __future__ import annotations

import itertools
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from zspex_toolkit.report.colours import INK, new_figure, save_figure, style, system_colours
from zspex_toolkit.report.extraction.page import Picture
from zspex_toolkit.report.extraction.scores import label
from zspex_toolkit.report.trainings import Training

_PANELS = (("train", "loss", "training loss"), ("valid", "si_sdri", "validation SI-SDRi, dB"))


def hours_of_audio(training: Training) -> list[float] | None:
    """Hours of trials that were trained on after every epoch; None where the experiment does not say.

    A mixture counts for each of its targets; epochs that learn from enrollments alone look at none.
    """
    draw = training.settings.get("draw", {})
    segment_seconds, without = draw.get("segment_seconds"), draw.get("speaker_epochs", 0)
    items = [epoch.get("items") for epoch in training.history]
    if not segment_seconds or not items or None in items:
        return None
    items = [0 if number < without else count for number, count in enumerate(items)]
    return [total * segment_seconds / 3600 for total in itertools.accumulate(items)]


def draw_curves(trainings: dict[str, Training], path: Path) -> Picture | None:
    """Write the learning curves; None if no training has any."""
    drawn = {
        system: training
        for system, training in trainings.items()
        if any(training.tells(name, (part,)) for part, name, _ in _PANELS)
    }
    if not drawn:
        return None
    save_figure(learning_curves(drawn), path)
    terms = ", its terms before they are weighted," if any(training.terms for training in drawn.values()) else ""
    caption = f"Training loss{terms} and SI-SDR improvement on the validation trials, after every epoch."
    return Picture("Learning curves", path, caption)


def learning_curves(trainings: dict[str, Training]) -> Figure:
    """The figure, for :func:`~zspex_toolkit.report.colours.save_figure`.

    Args:
        trainings: by system, in the order of the legend; the hours are left out if one of them does not know its own.
    """
    colours = system_colours(list(trainings))
    hours = {system: hours_of_audio(training) for system, training in trainings.items()}
    axes_of = {"epoch": {s: [e["epoch"] for e in t.history] for s, t in trainings.items()}}
    if all(hours.values()):
        axes_of["hours of trials"] = hours
    terms = dict.fromkeys(term for training in trainings.values() for term in training.terms)
    panels = [_PANELS[0], *(("train", term, term.removeprefix("loss_")) for term in terms), _PANELS[1]]
    figure = new_figure(4.6 * len(axes_of), 1.4 + 2.4 * len(panels))
    grid = figure.subplots(len(panels), len(axes_of), sharex="col", sharey="row", squeeze=False)
    for row, (part, name, meaning) in enumerate(panels):
        for column, places in enumerate(axes_of.values()):
            _draw(grid[row, column], trainings, places, colours, part, name)
        grid[row, 0].set_ylabel(meaning, fontsize=10, color=INK)
    for axes, unit in zip(grid[-1], axes_of, strict=True):
        axes.set_xlabel(unit, fontsize=10, color=INK)
        axes.set_xlim(left=0)
    for axes in grid[:, 0]:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    handles = [Line2D([], [], color=colours[system], linewidth=2, label=label(system)) for system in trainings]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), frameon=False, fontsize=10)
    return figure


def _draw(axes: Axes, trainings: dict[str, Training], places: dict, colours: dict, part: str, name: str) -> None:
    for system, training in trainings.items():
        values = training.curve(part, name)
        marker = "o" if len(values) == 1 else None  # one epoch has no line
        axes.plot(places[system], values, color=colours[system], linewidth=1.7, marker=marker, markersize=4)
    style(axes)
