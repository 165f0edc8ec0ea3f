"""The panels of the t-SNE: a row per set, a column per system, one coordinate scale."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zspex_toolkit.report.colours import INK, new_figure, save_figure, speaker_colours
from zspex_toolkit.report.extraction.page import Picture
from zspex_toolkit.report.extraction.scores import label
from zspex_toolkit.report.extraction.tsne import REFERENCE, Panel
from zspex_toolkit.report.grid import Grid

_MARKERS = "osD^vP"


def system_label(system: str) -> str:
    """Name of a column."""
    return "Ground truth" if system == REFERENCE else label(system)


def tsne_figure(panels: list[Panel], set_labels: dict[str, str]) -> Figure:
    """The figure, for :func:`~zspex_toolkit.report.colours.save_figure`.

    Args:
        panels: from one :func:`~zspex_toolkit.report.extraction.tsne.build_panels`.
        set_labels: what each set is called, such as ``unseen speakers``.
    """
    sets = list(dict.fromkeys(panel.set for panel in panels))
    systems = list(dict.fromkeys(panel.system for panel in panels))
    figure = new_figure(3.1 * len(systems) + 1.2, 3.3 * len(sets) + 0.3)
    grid = figure.subplots(len(sets), len(systems), sharex=True, sharey=True, squeeze=False)
    for panel in panels:
        axes = grid[sets.index(panel.set), systems.index(panel.system)]
        speakers = sorted(set(panel.speakers))
        colours = speaker_colours(speakers)
        for number, spk in enumerate(speakers):
            own = panel.places[[other == spk for other in panel.speakers]]
            marker = _MARKERS[number % len(_MARKERS)]
            axes.scatter(*own.T, s=13, color=colours[spk], marker=marker, linewidths=0, alpha=0.85)
        axes.set_title(
            f"{system_label(panel.system)}\nnearest centroid {100 * panel.nearest_centroid:.1f} %, "
            f"silhouette {panel.silhouette:.2f}",
            fontsize=9,
            color=INK,
        )
        axes.tick_params(colors=INK, labelsize=7, length=2)
        axes.set_aspect("equal")
        if panel.system == systems[-1]:
            handles = [
                Line2D(
                    [],
                    [],
                    linestyle="none",
                    marker=_MARKERS[n % len(_MARKERS)],
                    markersize=5,
                    color=colours[spk],
                    label=spk,
                )
                for n, spk in enumerate(speakers)
            ]
            axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=7)
        if panel.system == systems[0]:
            axes.set_ylabel(set_labels.get(panel.set, panel.set), fontsize=10, color=INK)
    return figure


def draw_tsne(panels: list[Panel], set_labels: dict[str, str], path: Path) -> Picture:
    """Write the t-SNE."""
    save_figure(tsne_figure(panels, set_labels), path)
    first = {panel.set: panel.speakers for panel in panels}
    counts = [
        f"{len(set(speakers))} {set_labels.get(name, name)} with {speakers.count(speakers[0])} trials each"
        for name, speakers in first.items()
    ]
    caption = (
        "t-SNE of the toolkit's x-vectors of extracted speech and of the ground truth: "
        f"{', '.join(counts)}; one coordinate scale for all panels. "
        "Above each panel, from the embeddings themselves: the share that is nearest to the mean of its own "
        "speaker's others, and the mean silhouette by cosine distance."
    )
    return Picture("Speaker embeddings", path, caption)


def panel_table(panels: list[Panel]) -> Grid:
    """The two figures of every panel."""
    rows = tuple(
        (
            *(panel.set, system_label(panel.system), str(len(set(panel.speakers))), str(len(panel.speakers))),
            *(f"{100 * panel.nearest_centroid:.1f}", f"{panel.silhouette:.3f}"),
        )
        for panel in panels
    )
    head = ("Set", "System", "Speakers", "Embeddings", "Nearest centroid, %", "Silhouette")
    return Grid("Speaker embeddings in figures", head, rows, num_names=2)
