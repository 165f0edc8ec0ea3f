"""The console script hands over to the command of that name."""

import subprocess
import sys

import pytest

import zspex_toolkit
from zspex_toolkit.registry import available


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "zspex_toolkit.bin.zspex", *arguments], capture_output=True, text=True)


def test_it_lists_every_command():
    done = run()
    assert done.returncode == 0 and set(available("bin")) <= set(done.stdout.split())


def test_it_tells_its_version():
    assert run("--version").stdout.strip() == zspex_toolkit.__version__


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["demx"], 2, "zspex: unknown name 'demx' in bin; did you mean 'demix'?\n"),
        (["subset_data_dir", "--dta", "x"], 2, "subset_data_dir: unknown setting --dta; did you mean --data?\n"),
        (["validate_data_dir", "--data", "/nowhere"], 1, "validate_data_dir: /nowhere: no such data directory\n"),
    ],
)
def test_a_mistake_is_one_line_in_the_commands_name(arguments, status, message):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (status, message)
