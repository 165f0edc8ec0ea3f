"""Real clusters, as tools/installers/{slurm,sge}_up.sh start them on this machine; without one a test is skipped."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

# Ends with 0 if a cluster answers.
ANSWERS = {"slurm": ["sinfo", "--noheader"], "sge": ["qstat", "-f"]}


@functools.cache  # a cluster that is down is slow to say so
def _answers(name):
    command = ANSWERS[name]
    if shutil.which(command[0]) is None:
        return False
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode == 0 and bool(done.stdout)


@pytest.fixture
def require(tmp_path, monkeypatch):
    """A function of a cluster's name that skips the test if it does not run, and else goes to an empty folder.

    Tests that run side by side wait for each other: one of them kills nodes.
    """
    held = contextlib.ExitStack()
    names = set()

    def check(name):
        if name == "sge":
            for variable, value in (("SGE_ROOT", "/var/lib/gridengine"), ("SGE_CELL", "default")):
                monkeypatch.setenv(variable, os.environ.get(variable, value))
        why = f"no running {name}; tools/installers/{name}_up.sh starts one"
        if not _answers(name):
            if name in os.environ.get("ZSPEX_REQUIRE_CLUSTERS", "").split():
                pytest.fail(why)
            pytest.skip(why)
        if name in names:
            return name
        names.add(name)
        turn = os.open(Path(tempfile.gettempdir(), f"zspex-test-{name}.lock"), os.O_RDWR | os.O_CREAT)
        held.callback(os.close, turn)
        fcntl.flock(turn, fcntl.LOCK_EX)
        monkeypatch.chdir(tmp_path)
        return name

    with held:
        yield check


@pytest.fixture
def installed(require):
    """The environment in which tools/installers/slurm_up.sh finds the Slurm that runs; None if it did not make it."""
    require("slurm")
    lines = subprocess.run(
        ["scontrol", "show", "config"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    settings = dict(map(str.strip, line.split("=", 1)) for line in lines if "=" in line)
    pid_file = Path(settings["SlurmdPidFile"])
    if os.geteuid() or pid_file.parts[-2:] != ("run", "slurmd.%n.pid"):
        return None
    return {"SLURM_DIR": str(pid_file.parents[1]), "SLURM_PORT": settings["SlurmctldPort"]}


@pytest.fixture(scope="module")
def local_run(tmp_path_factory):
    """A function of a mini recipe's task that gives the recipe's work folder, run once on this machine."""
    from support.recipes import ON, run_recipe

    @functools.cache
    def run(task):
        work = tmp_path_factory.mktemp("local") / "work"
        run_recipe(task, work, *ON["local"])
        return work

    return run
