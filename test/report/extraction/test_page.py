"""The page as text; test_extraction_page_in_browser.py opens it."""

import re

import pytest

from zspex_toolkit.report.extraction.page import write_page
from zspex_toolkit.report.extraction.scores import read_extraction_scores
from zspex_toolkit.report.grid import Grid


@pytest.fixture
def page(tse_exp, tmp_path):
    """``page(...)``: the text of the page and the cases played."""

    def run(sets=("test",), systems=("mixture", "spex_plus", "zspex"), **options):
        scored = [one for one in read_extraction_scores(tse_exp) if one.system in systems]
        settings = {"title": "A & B", "introduction": "", "grids": [], "pictures": [], "facts": []}
        cases = write_page(
            tmp_path / "page.html",
            groups=[[one for one in scored if one.set == name] for name in sets],
            folders=lambda one: (
                tse_exp.parent / "data" / f"trials_{one.set}",
                tse_exp / one.system / "extracted" / one.set,
            ),
            **{**settings, **options},
        )
        return (tmp_path / "page.html").read_text(), cases

    return run


def test_nothing_on_the_page_comes_from_elsewhere(page):
    text, _ = page()
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text)
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|@import|url\(", text)


def test_words_are_escaped(page):
    text, _ = page(grids=[Grid("<b>", ("a",), (("<script>",),))], facts=[("x", "<i>")])
    assert "A &amp; B" in text
    assert "&lt;script&gt;" in text and "<b>" not in text and "<i>" not in text


def test_a_further_set_adds_its_kinds_of_cases_and_no_others(page):
    headings = [case.case.heading for case in page(sets=("test", "test_absent"))[1]]
    assert headings.count("Different genders") == 3
    assert headings[-2:] == ["The worst of all", "Target absent"]
    text, cases = page(sets=("test",))
    assert "Target absent" not in [case.case.heading for case in cases]
    assert "does not speak" not in text


def test_any_number_of_systems_fits(page):
    assert [clip.heading for clip in page(systems=("zspex",))[1][0].clips] == [
        "Mixture",
        "Z-SpEx",
        "Ground truth",
        "Enrollment",
    ]


def test_recordings_are_cut_to_keep_the_page_small_and_the_page_says_so(page, monkeypatch):
    monkeypatch.setattr("zspex_toolkit.report.extraction.page._SHORTEST_S", 0.1)
    whole, _ = page()
    assert "are cut there" not in whole
    bound = 0.7 * len(whole) / 1e6
    text, cases = page(max_megabytes=bound)
    assert len(text.encode()) <= 1e6 * bound
    (seconds,) = {clip.seconds for case in cases for clip in case.clips}
    assert 0.1 < seconds < 0.8
    assert f"longer than {seconds:.1f} s are cut there" in text


def test_a_page_without_audio_has_its_tables(page):
    text, cases = page(sets=(), grids=[Grid("Cost", ("System", "dB"), (("a", "1.0"),), note="Noted.")])
    assert cases == [] and "<audio" not in text and 'href="#listen"' not in text
    assert '<th scope="row" class="word">a</th><td>1.0</td>' in text and "Noted." in text
