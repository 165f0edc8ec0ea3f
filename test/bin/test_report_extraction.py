"""The command passes its options on and names itself on the page."""

import json

import pytest

from zspex_toolkit.bin.report_extraction import main
from zspex_toolkit.errors import ConfigError, DataDirError


@pytest.fixture
def exp(tmp_path):
    folder = tmp_path / "exp" / "zspex" / "scores" / "test"
    folder.mkdir(parents=True)
    metrics = {"si_sdri": {"mean": 9.5, "interval": [9.0, 10.0]}}
    facts = {"system": "zspex", "set": "test", "fs": 8000, "num_trials": 1, "num_dropped": 0, "list_hash": "a"}
    groups = [{"by": "all", "value": "all", "num_trials": 1, "metrics": metrics}]
    (folder / "scores.json").write_text(json.dumps({**facts, "groups": groups}))
    (folder / "trials.jsonl").write_text('{"id": "a-1", "target": "a", "condition": "present", "si_sdri": 9.5}\n')
    return tmp_path / "exp"


def report(exp, tmp_path, *options):
    main(["--exp", str(exp), "--out", str(tmp_path / "out"), "--corpus", "mini", "--audio", "false", *options])
    return (tmp_path / "out" / "RESULTS.md").read_text(encoding="utf-8")


def test_the_page_names_the_command_that_made_it(exp, tmp_path):
    page = report(exp, tmp_path)
    assert f"`python -m zspex_toolkit.bin.report_extraction --exp {exp} --out {tmp_path / 'out'} --corpus mini" in page
    assert "| Z-SpEx | 1 | 0 | 9.50 [9.00, 10.00] |" in page


def test_title_and_command_can_be_given(exp, tmp_path):
    page = report(exp, tmp_path, "--title", "Mine", "--command", "egs/mini/tse1/run.sh")
    assert page.startswith("# Mine\n") and "- command: `egs/mini/tse1/run.sh`\n" in page


def test_an_experiment_without_scores_and_a_misspelt_option_are_one_line(tmp_path):
    with pytest.raises(DataDirError, match=r"no scores\.json in mixture/<set>/ or <system>/scores/<set>/"):
        report(tmp_path, tmp_path)
    with pytest.raises(ConfigError, match="laddr"):
        report(tmp_path, tmp_path, "--laddr", "a,b")
