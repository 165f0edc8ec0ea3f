"""The command passes its options on and names itself on the page."""

import json

import pytest

from zspex_toolkit.bin.report_demixing import main
from zspex_toolkit.errors import ConfigError, DataDirError

ROW = {
    "function": "subtract",
    "given": "e2",
    "condition": "snr0",
    "snr_db": 0.0,
    "set": "test",
    "num_trials": 4,
    "num_dropped": 0,
    "accuracy": 0.5,
    "accuracy_interval": [0.25, 0.75],
    "mean_cosine": 0.5,
    "list_hash": "a",
    "config_hash": "b",
    "commit": "c",
}


@pytest.fixture
def exp(tmp_path):
    folder = tmp_path / "exp" / "demix_e2_snr0_subtract"
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text(json.dumps([ROW]))
    return folder.parent


def test_the_page_names_the_command_that_made_it(exp, tmp_path):
    main(["--exp", str(exp), "--out", str(tmp_path / "out"), "--corpus", "mini"])
    page = (tmp_path / "out" / "RESULTS.md").read_text(encoding="utf-8")
    assert f"`python -m zspex_toolkit.bin.report_demixing --exp {exp} --out {tmp_path / 'out'} --corpus mini`" in page


def test_the_recipes_command_takes_its_place(exp, tmp_path):
    command = "egs/mini/demix1/run.sh --nj 2"
    main(["--exp", str(exp), "--out", str(tmp_path), "--corpus", "mini", "--command", command, "--title", "Mini"])
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert page.startswith("# Mini\n")
    assert f"- command: `{command}`" in page


def test_an_empty_experiment_is_told(tmp_path):
    with pytest.raises(DataDirError, match=r"no scores\.json"):
        main(["--exp", str(tmp_path), "--out", str(tmp_path / "out"), "--corpus", "mini"])


def test_a_misspelt_option_names_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown setting --corpos; did you mean --corpus\?"):
        main(["--exp", str(tmp_path), "--out", "out", "--corpos", "mini"])
