"""Tests of what is known of the system that is scored."""

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.infer.scored_system import COSTS, provenance, system_of


@pytest.fixture
def extracted(tmp_path):
    folder = tmp_path / "net" / "extracted" / "test"
    folder.mkdir(parents=True)
    return folder


def test_the_system_is_called_after_its_experiment(extracted, tmp_path, monkeypatch):
    assert system_of(extracted) == "net"
    assert system_of(tmp_path / "elsewhere") == "elsewhere"
    monkeypatch.chdir(tmp_path / "net")
    assert system_of(extracted.relative_to(tmp_path / "net")) == "net"


def test_what_is_not_known_is_none(extracted):
    for facts in (provenance(extracted), provenance(None)):
        assert facts.pop("commit")
        assert facts == {"config_hash": None, "seed": None, **dict.fromkeys(COSTS)}


def test_settings_of_a_folder_that_is_no_experiment_are_not_taken(tmp_path):
    (tmp_path / "config.yaml").write_text("train: {seed: 3}\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert provenance(tmp_path / "a" / "b")["seed"] is None


def test_costs_are_those_of_the_extraction(extracted):
    (extracted / "extraction.json").write_text('{"macs_per_second": 2e9, "device": "cpu", "num_trials": 8}')
    facts = provenance(extracted)
    assert (facts["macs_per_second"], facts["device"], facts["num_parameters"]) == (2e9, "cpu", None)
    assert "num_trials" not in facts


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("extraction.json", "{", r"extraction.json: broken \(.*\); make it again"),
        ("extraction.json", "[1]", "extraction.json: expected names and values, got list"),
        ("../../config.yaml", "a: [", r"config.yaml: broken \(.*\); make it again"),
    ],
)
def test_broken_files_are_named(extracted, name, text, message):
    (extracted / name).write_text(text)
    with pytest.raises(DataDirError, match=message):
        provenance(extracted)
