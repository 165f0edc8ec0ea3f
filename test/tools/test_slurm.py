"""tools/installers/slurm_up.sh and slurm_down.sh: what they refuse, before they install or stop anything."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

INSTALLERS = Path(__file__).parents[2] / "tools" / "installers"
NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a cluster")


@pytest.fixture
def script(tmp_path):
    """``script(name, ...)`` runs it with the folder ``cluster``, an apt-get that fails, and no jobs in the queue."""
    (tmp_path / "bin").mkdir()
    for name, text in {"apt-get": "echo apt-get was called >&2; exit 100", "squeue": ""}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def run(name, **environment):
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        environment = {"PATH": path, "SLURM_DIR": str(tmp_path / "cluster"), **environment}
        return subprocess.run([INSTALLERS / name], env=environment, capture_output=True, text=True)

    return run


@pytest.fixture
def daemon(tmp_path):
    """A process called slurmctld, with its pid file in the folder ``cluster``."""
    (tmp_path / "cluster" / "run").mkdir(parents=True)
    shutil.copy(shutil.which("sleep"), tmp_path / "slurmctld")
    with subprocess.Popen([tmp_path / "slurmctld", "60"]) as process:
        (tmp_path / "cluster" / "run" / "slurmctld.pid").write_text(f"{process.pid}\n")
        yield process
        process.kill()


def writable(folder):
    folder.mkdir()
    folder.chmod(0o777)


def somebody_elses(folder):
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)


def with_settings_of_somebody_else(folder):
    (folder / "etc").mkdir(parents=True)
    os.chown(folder / "etc", NOBODY, NOBODY)


def a_link(folder):
    folder.with_name("target").mkdir()
    folder.symlink_to("target")


@pytest.mark.parametrize("make", [writable, somebody_elses, with_settings_of_somebody_else, a_link])
def test_a_folder_that_others_can_write_is_refused_in_one_line(script, tmp_path, make):
    make(tmp_path / "cluster")
    before = sorted(tmp_path.rglob("*"))
    for name in ("slurm_up.sh", "slurm_down.sh"):
        done = script(name)
        said = f"{name}: {tmp_path}/cluster or a folder in it is not root's, or others can write it: "
        assert (done.returncode, done.stderr) == (1, said + "remove it, or set SLURM_DIR\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_down_stops_the_daemons_of_roots_folder_alone(script, tmp_path, daemon):
    (tmp_path / "cluster").chmod(0o777)
    assert script("slurm_down.sh").returncode == 1
    assert daemon.poll() is None
    (tmp_path / "cluster").chmod(0o755)
    assert script("slurm_down.sh").returncode == 0
    assert daemon.wait(20) == -15
    assert not (tmp_path / "cluster" / "run" / "slurmctld.pid").exists()


def test_a_port_that_is_taken_is_told(script):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = script("slurm_up.sh", SLURM_PORT=str(port))
    assert done.returncode == 1
    assert done.stderr in (
        f"slurm_up.sh: something listens on port {port}: set SLURM_PORT to another\n",
        "slurm_up.sh: a cluster of an earlier version runs: end it, "
        "SLURM_DIR=/tmp/slurm-local tools/installers/slurm_down.sh\n",
    )
