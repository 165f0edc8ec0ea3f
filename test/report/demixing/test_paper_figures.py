"""The paper's figures, checked against the ratios it is judged by."""

import pytest

from zspex_toolkit.registry import available
from zspex_toolkit.report.demixing.paper_figures import LABELS, PRINTED, label


@pytest.mark.parametrize(("snr_db", "ratio"), [(-5.0, 0.875), (0.0, 0.944), (5.0, 0.984)])
def test_the_best_function_of_table_2_reaches_the_published_share_of_clean(snr_db, ratio):
    functions = [PRINTED[2][name, snr_db] for name in LABELS if name not in ("before", "clean")]
    assert max(functions) / PRINTED[2]["clean", snr_db] == pytest.approx(ratio, abs=5e-4)


def test_before_is_the_same_in_both_directions_at_0_db():
    assert PRINTED[2]["before", 0.0] == PRINTED[3]["before", 0.0] == 58.4


def test_every_table_has_a_figure_in_every_cell():
    assert [len(PRINTED[table]) for table in (2, 3, 4)] == [24, 24, 16]


def test_the_papers_six_functions_are_the_toolkits():
    assert set(LABELS) - {"before", "clean"} <= set(available("models.demixers"))


def test_a_function_the_paper_lacks_is_named_after_its_file():
    assert label("modulate") == "Modulate"
