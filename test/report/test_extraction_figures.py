"""Which figures there are, and why one is missing."""

import pytest

from zspex_toolkit.report.extraction_figures import draw_curves, draw_tsne, tsne_panels
from zspex_toolkit.report.extraction_scores import read_extraction_scores
from zspex_toolkit.report.trainings import read_training


@pytest.fixture
def panels(tse_exp):
    def run(embedder=tse_exp / "xvector", sets=("test", "seen"), systems=("spex_plus", "zspex")):
        scored = read_extraction_scores(tse_exp)
        return tsne_panels(tse_exp, tse_exp.parent / "data", embedder, scored, sets, list(systems), seed=0)

    return run


def test_there_is_a_panel_for_every_set_system_and_the_ground_truth(panels, tmp_path):
    found, notes = panels()
    assert [(p.set, p.system, len(p.speakers)) for p in found] == [
        *(("test", system, 60) for system in ("spex_plus", "zspex", "reference")),
        *(("seen", system, 8) for system in ("spex_plus", "zspex", "reference")),
    ]
    assert notes == []
    picture = draw_tsne(found, {"test": "unseen speakers", "seen": "seen speakers"}, tmp_path / "tsne.png")
    assert "6 unseen speakers with 10 trials each, 2 seen speakers with 4 trials each; one" in picture.caption
    assert picture.path.read_bytes().startswith(b"\x89PNG")


def test_a_missing_embedder_or_set_is_a_note(panels, tmp_path):
    assert panels(embedder=tmp_path) == ([], [f"no t-SNE: no embedder in {tmp_path}"])
    found, notes = panels(sets=("nowhere",))
    assert found == []
    assert notes == ["no t-SNE of the set 'nowhere': not every system was scored on it, or it has too few trials"]


def test_trainings_without_a_history_have_no_curves(tse_exp, tmp_path):
    assert draw_curves({"zspex": read_training(tmp_path)}, tmp_path / "curves.png") is None
    picture = draw_curves({"zspex": read_training(tse_exp / "zspex")}, tmp_path / "curves.png")
    assert picture.path.read_bytes().startswith(b"\x89PNG")
