"""tools/installers/compiler.sh, with programs that only pretend."""

import os
import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "tools" / "installers" / "compiler.sh"


def install(folder: Path, programs: dict[str, str], **environment) -> subprocess.CompletedProcess:
    """Run the script with these programs alone, each a text of bash."""
    tools = {name: f'exec {shutil.which(name)} "$@"' for name in ("mktemp", "rm", "tail")}
    for name, text in {"sudo": 'shift; exec "$@"', **tools, **programs}.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": os.fspath(folder), **environment}
    return subprocess.run(["/bin/bash", SCRIPT], env=environment, cwd=folder, capture_output=True, text=True)


def test_a_compiler_that_is_there_is_named_and_nothing_is_installed(tmp_path):
    done = install(tmp_path, {"clang++": "", "apt-get": "exit 1"})
    assert (done.returncode, done.stdout) == (0, f"compiler.sh: found {tmp_path}/clang++\n")


def test_the_compiler_of_cxx_comes_first_if_it_is_there(tmp_path):
    for wanted, found in (("icpx", "icpx"), ("gone", "g++")):
        done = install(tmp_path, {"g++": "", "icpx": "", "apt-get": "exit 1"}, CXX=wanted)
        assert (done.returncode, done.stdout) == (0, f"compiler.sh: found {tmp_path}/{found}\n")


def test_gcc_is_installed_where_there_is_none(tmp_path):
    apt = """[[ ${!#} = g++ ]] || exit 100; echo '#!/bin/bash' >g++; /bin/chmod +x g++"""
    done = install(tmp_path, {"apt-get": apt})
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"compiler.sh: installed {tmp_path}/g++")


def test_a_failed_install_shows_why_and_what_follows(tmp_path):
    done = install(tmp_path, {"apt-get": "echo E: no network; exit 100"})
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "E: no network"
    assert done.stderr.splitlines()[-1].startswith("compiler.sh: apt-get could not install g++ or clang; ")


def test_a_machine_without_apt_get_is_told_so(tmp_path):
    done = install(tmp_path, {})
    assert (done.returncode, done.stderr) == (1, "compiler.sh: no apt-get here; install g++ or clang by other means\n")
