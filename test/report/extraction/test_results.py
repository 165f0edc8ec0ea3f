"""The whole report, on the page and for machines."""

import dataclasses
import json
import re
from datetime import datetime, timezone

import pytest

from zspex_toolkit.bin.report_extraction import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.report.extraction.results import Config, report_extraction

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def quick(tse_exp, tmp_path):
    """``quick(option=...)``: RESULTS.md and results.json of a report without audio."""

    def run(**options):
        config = Config(tse_exp, tmp_path / "out", "mini", audio=False, command="run.sh")
        report_extraction(dataclasses.replace(config, **options), now=NOON)
        out = tmp_path / "out"
        return (out / "RESULTS.md").read_text(), json.loads((out / "results.json").read_text())

    return run


def test_page_tables_figures_and_numbers_for_machines_are_written(tse_report):
    names = sorted(path.name for path in tse_report.iterdir())
    assert names == ["RESULTS.md", "curves.png", "page.html", "results.json", "tsne.png"]
    text = (tse_report / "RESULTS.md").read_text()
    assert [line for line in text.splitlines() if re.match("##? ", line)] == [
        "# Target speaker extraction on mini",
        "## Set test",
        "## Set test_absent",
        "## Set seen",
        "## Paired differences",
        "## Ladder",
        "## Speaker embeddings in figures",
        "## Cost of extraction",
        "## Trainings",
        "## Sets of trials",
        "## Figures",
        "## Missing or irregular",
        "## Where the figures come from",
    ]
    assert "](tsne.png)" in text and "](curves.png)" in text
    assert "- date: 2026-01-02 12:00 UTC\n- command: `run.sh`\n" in text
    assert "- versions at scoring: numpy 2.1, torch 2.0\n" in text


def test_page_and_machines_agree(tse_report):
    results = json.loads((tse_report / "results.json").read_text())
    (difference,) = results["differences"]
    text = (tse_report / "RESULTS.md").read_text()
    assert f"| Z-SpEx | SpEx+ | 60 | {difference['si_sdri']:+.2f} [" in text
    assert [rung["system"] for rung in results["ladder"]] == ["spex_plus", "zspex"]
    assert results["ladder"][1]["difference"]["si_sdri"] == pytest.approx(2.0)
    assert [(s["set"], s["system"]) for s in results["scores"][:2]] == [("test", "mixture"), ("test", "spex_plus")]
    assert len(results["tsne"]) == 6 and results["trainings"][1]["hours"] == 3.0
    trials = {case["trial"] for case in results["cases"]}
    assert len(trials) == 11 and all(trial in (tse_report / "page.html").read_text() for trial in trials)
    assert results["notes"] == [] and "\nNothing.\n" in text


def test_the_same_experiment_gives_the_same_page(quick, tse_exp, tmp_path):
    assert quick() == quick()


def test_systems_stand_in_the_order_asked_for_and_only_they(quick):
    text, results = quick(systems=("zspex", "spex_plus"))
    assert [s["system"] for s in results["scores"][:3]] == ["mixture", "zspex", "spex_plus"]
    assert "| SpEx+ | Z-SpEx | 60 | -2.00 [" in text
    _, results = quick(systems=("spex_plus",))
    assert {s["system"] for s in results["scores"]} == {"mixture", "spex_plus"}


def test_the_systems_of_the_ladder_are_read_though_not_asked_for(quick):
    _, results = quick(systems=("zspex",), ladder=("spex_plus", "zspex:spex_plus"))
    assert [rung["system"] for rung in results["ladder"]] == ["spex_plus", "zspex"]


def test_without_audio_the_page_says_so(quick, tmp_path):
    text, results = quick()
    assert results["cases"] == results["tsne"] == []
    assert "- asked for no audio: no cases to hear, no t-SNE" in text


@pytest.mark.parametrize("option", ["systems", "page_systems", "ladder"])
def test_a_system_that_was_not_scored_is_named(quick, option):
    with pytest.raises(ConfigError, match="no scores of 'zpex'"):
        quick(**{"systems": ("zspex",), option: ("zpex",)})


def test_a_set_on_which_no_system_was_scored_is_named(quick):
    with pytest.raises(ConfigError, match="unseen: no system was scored on 'eval'; scored sets: seen, test, test_abs"):
        quick(unseen="eval")


def test_the_page_names_the_command_that_made_it_and_the_title_that_was_given(tse_exp, tmp_path):
    out = ["--out", str(tmp_path / "out"), "--corpus", "mini", "--audio", "false", "--title", "Mine"]
    main(["--exp", str(tse_exp), *out])
    page = (tmp_path / "out" / "RESULTS.md").read_text(encoding="utf-8")
    assert f"`python -m zspex_toolkit.bin.report_extraction --exp {tse_exp} --out {tmp_path / 'out'} --corpus" in page
    assert page.startswith("# Mine\n")
