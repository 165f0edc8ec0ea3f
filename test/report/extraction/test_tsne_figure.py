"""The panels of the t-SNE."""

import numpy as np

from zspex_toolkit.report.extraction.tsne import Panel
from zspex_toolkit.report.extraction.tsne_figure import panel_table, tsne_figure


def panel(system, name, offset):
    places = np.arange(8.0).reshape(4, 2) + offset
    return Panel(system, name, ["ann", "ann", "bo", "bo"], np.eye(4), places, silhouette=0.25, nearest_centroid=0.75)


PANELS = [panel(system, name, 10 * n) for n, name in enumerate(("test", "seen")) for system in ("zspex", "reference")]


def test_a_row_per_set_and_a_column_per_system_share_one_scale():
    figure = tsne_figure(PANELS, {"test": "unseen speakers"})
    assert [axes.get_title() for axes in figure.axes] == [
        "Z-SpEx\nnearest centroid 75.0 %, silhouette 0.25",
        "Ground truth\nnearest centroid 75.0 %, silhouette 0.25",
    ] * 2
    assert [axes.get_ylabel() for axes in figure.axes] == ["unseen speakers", "", "seen", ""]
    figure.canvas.draw()
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1


def test_every_embedding_is_a_point_in_its_speakers_colour_and_shape():
    axes = tsne_figure(PANELS, {}).axes[0]
    ann, bo = axes.collections
    assert ann.get_offsets().tolist() == [[0, 1], [2, 3]] and bo.get_offsets().tolist() == [[4, 5], [6, 7]]
    assert ann.get_facecolor().tolist() != bo.get_facecolor().tolist()
    assert ann.get_paths()[0].vertices.shape != bo.get_paths()[0].vertices.shape


def test_the_figures_stand_in_a_table_too():
    assert panel_table(PANELS).rows[1] == ("test", "Ground truth", "2", "4", "75.0", "0.250")
