"""tools/installers/chromium.sh, with programs that only pretend."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "installers" / "chromium.sh"


def _tools() -> dict[str, str]:
    return {name: f'exec {shutil.which(name)} "$@"' for name in ("mktemp", "rm", "tail")}


@pytest.fixture
def install(tmp_path):
    """``install({program: bash text})`` runs the script with these programs alone."""

    def run(programs: dict[str, str]) -> subprocess.CompletedProcess:
        for name, text in {"sudo": 'shift; exec "$@"', **_tools(), **programs}.items():
            (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
            (tmp_path / name).chmod(0o755)
        environment = {"PATH": os.fspath(tmp_path)}
        return subprocess.run(["/bin/bash", SCRIPT], env=environment, cwd=tmp_path, capture_output=True, text=True)

    return run


# Installs nothing until the lists of packages are fetched, then makes the program named last.
APT = """
echo "$*" >>calls
if [[ $1 = update ]]; then : >lists; exit; fi
[[ -f lists && ${!#} = "%s" ]] || exit 100
echo '#!/bin/bash' >"${!#}"
/bin/chmod +x "${!#}"
"""


def test_a_browser_that_is_there_is_named_and_nothing_is_installed(install, tmp_path):
    done = install({"chromium": "", "apt-get": "exit 1"})
    assert (done.returncode, done.stdout) == (0, f"chromium.sh: found {tmp_path}/chromium\n")


def test_lists_of_packages_are_fetched_where_the_install_fails_without(install, tmp_path):
    done = install({"apt-get": APT % "chromium-headless-shell"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"chromium.sh: installed {tmp_path}/chromium-headless-shell\n")
    assert [line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()] == [
        "install",
        "update",
        "install",
    ]


def test_the_whole_browser_is_taken_where_there_is_no_headless_one(install, tmp_path):
    done = install({"apt-get": APT % "chromium"})
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"chromium.sh: installed {tmp_path}/chromium")


def test_a_failed_install_shows_why_and_says_what_to_do(install):
    done = install({"apt-get": "echo E: no network; exit 100"})
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        *["E: no network"] * 3,
        "chromium.sh: apt-get could not install chromium-headless-shell or chromium; install a browser by hand, "
        "and set CHROMIUM to its program if it is not on the PATH",
    ]


def test_a_machine_without_apt_get_is_told_so(install):
    done = install({})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("chromium.sh: no apt-get here; install Chromium by other means")
