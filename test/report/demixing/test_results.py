"""The whole page and its figures for machines."""

import json
from datetime import datetime, timezone

import pytest

from zspex_toolkit.bin.report_demixing import main
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.demixing.results import Config, report_demixing

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc)


def report(exp, out, corpus="timit", **options):
    report_demixing(Config(exp, out, corpus, command="run.sh", **options), now=NOON)
    return (out / "RESULTS.md").read_text(encoding="utf-8")


def test_the_page_its_figures_and_its_numbers_for_machines_are_written(exp, tmp_path):
    page = report(exp, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["RESULTS.md", "accuracy.png", "mae_e1.png", "mae_e2.png", "results.json"]
    for name in names[1:4]:
        assert f"]({name})" in page
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings == [
        "# Speaker embedding de-mixing on timit",
        "## Table 2: given e2, get e1",
        "## Table 3: given e1, get e2",
        "## Figures",
        "## Missing or irregular",
        "## Where the figures come from",
    ]


def test_page_and_machine_figures_agree(exp, tmp_path):
    report(exp, tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    table = results["tables"][0]
    cells = {(cell["function"], cell["column"]): (cell["train"], cell["test"]) for cell in table["accuracy"]}
    assert cells["multiply", -5.0] == (75.0, 75.0)
    assert cells["concat1", 0.0] == (None, None)
    assert table["ratios"][0] == {"column": -5.0, "best": "multiply", "ratio": 0.75, "paper_ratio": 86.2 / 98.5}
    assert results["environment"]["command"] == "run.sh"
    assert len(results["scores"]) == 48


def test_each_loss_of_a_sum_has_a_figure(exp, tmp_path):
    part = '{"mae": 1, "loss_mean_absolute_error": 1, "loss_cross_entropy": 2}'
    (exp / "demix_e2_snr0_subtract" / "history.jsonl").write_text(f'{{"epoch": 1, "train": {part}, "valid": {part}}}\n')
    assert "Loss cross_entropy against epochs. Given e2, get e1." in report(exp, tmp_path / "out")
    assert (tmp_path / "out" / "loss_cross_entropy_e2.png").stat().st_size > 1000


def test_another_corpus_than_the_papers_is_told(exp, tmp_path):
    assert "**The corpora differ**: ours is mini, the paper's timit." in report(exp, tmp_path / "a", corpus="mini")
    assert "corpora differ" not in report(exp, tmp_path / "b", corpus="timit")


def test_a_missing_function_is_told_per_table_and_a_network_without_a_curve(exp, tmp_path):
    (exp / "demix_e2_snr0_subtract" / "history.jsonl").unlink()
    lines = report(exp, tmp_path / "out").splitlines()
    assert "- Table 3: given e1, get e2: not run: Concat1, Concat2, Share-Concat, Separate-Concat" in lines
    assert "- demix_e2_snr0_subtract: no error in its history, so no curve" in lines


def test_a_broken_score_leaves_the_old_page(exp, tmp_path):
    before = report(exp, tmp_path / "out")
    (exp / "demix_e2_snr0_subtract" / "scores.json").write_text("[]")
    with pytest.raises(DataDirError, match="expected a JSON list of scores"):
        report(exp, tmp_path / "out")
    assert (tmp_path / "out" / "RESULTS.md").read_text(encoding="utf-8") == before


def test_a_title_replaces_the_made_one(exp, tmp_path):
    assert report(exp, tmp_path / "out", title="Tuned").startswith("# Tuned\n")


def test_the_page_names_the_command_that_made_it_unless_it_is_told_another(exp, tmp_path):
    options = ["--exp", str(exp), "--out", str(tmp_path), "--corpus", "mini"]
    main(options)
    own = f"`python -m zspex_toolkit.bin.report_demixing {' '.join(options)}`"
    assert own in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    main([*options, "--command", "run.sh --nj 2"])
    assert "- command: `run.sh --nj 2`" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
