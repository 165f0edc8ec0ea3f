"""Every check says something of use, and none can end the command."""

import json

import pytest

from zspex_toolkit import registry
from zspex_toolkit.doctor import examine as module
from zspex_toolkit.doctor.examine import Config, examine, findings_of
from zspex_toolkit.doctor.finding import FAULT, OK, WARNING, Asked, Finding
from zspex_toolkit.errors import DataDirError

CHECKS = registry.available("doctor.checks")


@pytest.fixture
def checks(monkeypatch):
    """Put made-up checks in the place of the real ones."""

    def replace(**functions):
        monkeypatch.setattr(module, "available", lambda package: sorted(functions))
        monkeypatch.setattr(module, "load", lambda package, name: functions[name])

    return replace


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_gives_findings_of_a_known_state_and_says_what_to_do(name):
    findings = findings_of(name, Asked())
    for finding in findings:
        assert finding.state in (OK, WARNING, FAULT) and finding.what
        assert "\n" not in finding.what + finding.remedy
        assert "the check itself failed" not in finding.what
        assert finding.state == OK or finding.remedy
    assert findings or name in ("data", "recipe")  # which need to be asked for


def test_a_user_error_within_a_check_is_a_fault(checks):
    def check(asked):
        raise DataDirError("mine: no such\ndata directory")

    checks(data=check)
    assert findings_of("data", Asked()) == [Finding(FAULT, "mine: no such data directory")]


def test_an_error_within_a_check_is_a_fault_with_its_place_and_the_next_check_runs(checks, capsys):
    def breaks(asked):
        yield Finding(OK, "one")
        raise ZeroDivisionError("by zero")

    checks(a=breaks, b=lambda asked: [Finding(WARNING, "low", "raise it")])
    assert not examine(Config())
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[0].startswith("fault   a: the check itself failed: ZeroDivisionError: by zero (test_examine.py:")
    assert lines[0].endswith("; report it")
    assert lines[1] == "warning b: low; raise it"


def test_warnings_alone_are_no_fault(checks):
    checks(a=lambda asked: [Finding(WARNING, "low", "raise it")], b=lambda asked: [Finding(OK, "well")])
    assert examine(Config())


def test_json_holds_every_finding(checks, capsys):
    checks(a=lambda asked: [Finding(FAULT, "broken", "mend it")])
    assert not examine(Config(json=True))
    told = json.loads(capsys.readouterr().out)
    assert told["findings"] == [{"check": "a", "state": "fault", "what": "broken", "remedy": "mend it"}]


def test_the_checks_are_told_what_the_user_named(checks, tmp_path):
    seen = []
    checks(a=lambda asked: seen.append(asked) or [])
    examine(Config(model="m", data=tmp_path, recipe=tmp_path, corpus_dir=tmp_path))
    assert seen == [Asked("m", tmp_path, tmp_path, tmp_path)]
