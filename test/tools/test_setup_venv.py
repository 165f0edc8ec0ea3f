"""tools/setup_venv.sh with a Python that installs nothing: what it does, in which order, and what it says."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FAKE_PYTHON = """#!/bin/bash
log=$FAKE/calls
case "$*" in
    *version_info*) exit "${OLD:-0}" ;;
    --version) echo "Python 3.12.0" ;;
    *"import venv, ensurepip"*) exit "${NO_ENSUREPIP:-0}" ;;
    *"import venv, pip"*) exit "${NO_PIP:-1}" ;;
    "-m venv"*) echo "${*:2:$#-2}" >>"$log"; mkdir -p "${@: -1}/bin"; cp "$0" "${@: -1}/bin/python" ;;
    *"pip install"*"[pesq]") echo pesq >>"$log"; exit "${NO_COMPILER:-0}" ;;
    *"pip install"*"--only-binary praat-parselmouth"*"[voices]") echo voices >>"$log"; exit "${NO_WHEEL:-0}" ;;
    *"pip install"*"--only-binary pyroomacoustics"*"[rooms]") echo rooms >>"$log"; exit "${NO_WHEEL:-0}" ;;
    *"pip install"*) echo install >>"$log"; sleep "${SLOW:-0}"; echo "pip says no"; exit "${PIP_STATUS:-0}" ;;
    *"pip --quiet --python"*) echo bootstrap >>"$log" ;;
    *check_install.py) echo check >>"$log"; exit "${CHECK:-0}" ;;
    *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A copy of what set-up reads, a PATH with nothing but basic tools, and our Python as python3."""
    (tmp_path / "tools").mkdir()
    for name in ("setup.py", "tools/setup_venv.sh", "tools/constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    path = tmp_path / "bin"
    path.mkdir()
    for tool in "bash cat chmod cp cut dirname flock grep mkdir mv rm sha256sum sleep tail".split():  # noqa: SIM905
        (path / tool).symlink_to(shutil.which(tool))
    (path / "python3").write_text(FAKE_PYTHON)
    (path / "python3").chmod(0o755)
    return tmp_path


def start(machine, *argv, **variables):
    environment = {"PATH": str(machine / "bin"), "FAKE": str(machine), **variables}
    command = [machine / "tools/setup_venv.sh", *argv]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, start_new_session=True, **streams)


def run(machine, *argv, **variables):
    process = start(machine, *argv, **variables)
    output, errors = process.communicate(timeout=240)
    return process.returncode, output, errors


def calls(machine):
    log = machine / "calls"
    return log.read_text().split("\n")[:-1] if log.exists() else []


def test_it_creates_installs_checks_and_then_has_nothing_to_do(machine):
    status, output, errors = run(machine)
    assert (status, errors) == (0, "")
    assert calls(machine) == ["venv", "install", "pesq", "voices", "rooms", "check"]
    assert output.splitlines()[-1] == "setup_venv.sh: done"
    assert run(machine) == (0, "", "")
    assert calls(machine) == ["venv", "install", "pesq", "voices", "rooms", "check"]


def test_the_cpu_build_is_pinned_only_where_there_is_no_gpu(machine):
    assert "CPU build of torch" in run(machine)[1]
    shutil.rmtree(machine / "tools/venv")
    nvidia_smi = machine / "bin/nvidia-smi"
    nvidia_smi.write_text('#!/bin/bash\necho "GPU 0: NVIDIA"\n')
    nvidia_smi.chmod(0o755)
    assert "installing torch as published, with CUDA" in run(machine)[1]


def test_without_a_compiler_it_goes_on_without_pesq_and_says_so(machine):
    status, output, _ = run(machine, NO_COMPILER="1")
    assert status == 0
    assert "setup_venv.sh: without the PESQ metric: it is compiled here, and that failed" in output
    assert calls(machine) == ["venv", "install", "pesq", "voices", "rooms", "check"]


def test_without_wheels_of_praat_and_of_room_acoustics_it_goes_on_without_their_commands_and_says_so(machine):
    status, output, _ = run(machine, NO_WHEEL="1")
    assert status == 0
    assert "setup_venv.sh: without the command change_voices: no wheel of praat-parselmouth" in output
    assert "setup_venv.sh: without the command simulate_rooms: no wheel of pyroomacoustics" in output


def test_changed_requirements_are_installed_into_the_same_environment(machine):
    run(machine)
    with (machine / "setup.py").open("a") as setup:
        setup.write("\n")
    assert run(machine)[0] == 0
    assert calls(machine) == ["venv", *2 * ["install", "pesq", "voices", "rooms", "check"]]


def test_an_environment_that_was_left_unfinished_is_made_anew(machine):
    (machine / "tools/venv/bin").mkdir(parents=True)
    (machine / "tools/venv/half").write_text("")
    status, output, _ = run(machine)
    assert status == 0
    assert "removing an unfinished" in output
    assert not (machine / "tools/venv/half").exists()


def test_a_failed_install_shows_the_end_of_its_log_and_is_tried_again_next_time(machine):
    status, _, errors = run(machine, PIP_STATUS="1")
    assert status == 1
    assert "pip says no" in errors
    assert f"pip failed (tried twice); the whole log is {machine}/tools/venv/install.log" in errors
    assert run(machine)[0] == 0


def test_packages_that_do_not_work_are_not_taken_for_installed(machine):
    assert run(machine, CHECK="1")[0] == 1
    assert run(machine)[0] == 0
    assert calls(machine).count("install") == 2


def test_without_ensurepip_the_debian_package_is_named(machine):
    status, _, errors = run(machine, NO_ENSUREPIP="1")
    assert status == 1
    assert (
        "python3 has no 'venv' or no 'ensurepip' module; install it (Debian, Ubuntu: apt-get install python3-venv)"
        in errors
    )
    assert calls(machine) == []


def test_without_ensurepip_an_installed_pip_does(machine):
    assert run(machine, NO_ENSUREPIP="1", NO_PIP="0")[0] == 0
    assert calls(machine) == ["venv --without-pip", "bootstrap", "install", "pesq", "voices", "rooms", "check"]


def test_no_new_enough_python_is_one_line(machine):
    status, _, errors = run(machine, OLD="1")
    assert status == 1
    assert errors.startswith("setup_venv.sh: no Python 3.10 or newer found; install one")
    assert errors.count("\n") == 1


def test_a_given_python_that_is_too_old_is_named(machine):
    old = machine / "old_python"
    old.write_text("#!/bin/bash\nexit 1\n")
    old.chmod(0o755)
    assert f"{old} is no Python 3.10 or newer" in run(machine, str(old))[2]


def test_of_two_at_once_one_waits_and_finds_it_done(machine):
    first = start(machine, SLOW="0.6")
    deadline = time.monotonic() + 240
    while "install" not in calls(machine) and time.monotonic() < deadline:
        time.sleep(0.02)
    status, output, _ = run(machine)
    assert status == 0
    assert output == "setup_venv.sh: another set-up is at work; waiting for it\n"
    assert first.wait(timeout=240) == 0
    assert calls(machine).count("install") == 1


def test_a_killed_set_up_does_not_count_as_done(machine):
    first = start(machine, SLOW="5")
    while "install" not in calls(machine):
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    (machine / "calls").unlink()
    assert run(machine)[0] == 0
    assert calls(machine) == ["venv", "install", "pesq", "voices", "rooms", "check"]
