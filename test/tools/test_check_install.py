import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "check_install.py"


@pytest.fixture
def check_install():
    spec = importlib.util.spec_from_file_location("check_install", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_needed_package_is_one_of_setup_py(check_install):
    text = (SCRIPT.parents[1] / "setup.py").read_text()
    for package in check_install.NEEDED.values():
        assert f'"{package}' in text


def test_versions_stand_in_one_line_and_the_status_is_0(check_install, capsys):
    assert check_install.main() == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("installed: ")]
    assert "torch 2." in line


def test_a_missing_package_is_a_line_that_says_what_to_do_and_status_1(check_install, capsys, monkeypatch):
    monkeypatch.setitem(check_install.NEEDED, "no_such_module", "no-such-package")
    assert check_install.main() == 1
    expected = (
        "missing: no-such-package (ModuleNotFoundError: No module named 'no_such_module'): run tools/setup_venv.sh"
    )
    assert capsys.readouterr().out.splitlines()[-1] == expected


def test_a_missing_optional_part_is_a_line_with_its_purpose(check_install, capsys, monkeypatch):
    monkeypatch.setitem(check_install.OPTIONAL, "no_such_module", "the moon")
    monkeypatch.setattr(check_install.shutil, "which", lambda program: None)
    assert check_install.main() == 0
    output = capsys.readouterr().out
    assert "optional: no_such_module is missing (ModuleNotFoundError: " in output
    assert "optional: ffmpeg is not in PATH: needed for VoxCeleb2's m4a files\n" in output
