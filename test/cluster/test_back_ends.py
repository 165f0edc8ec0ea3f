"""The back ends on a real Slurm and a real Grid Engine, as tools/installers/{slurm,sge}_up.sh start them."""

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch import job_log
from zspex_toolkit.launch.contract import parse
from zspex_toolkit.launch.interruption import InterruptedJobsError
from zspex_toolkit.launch.run_jobs import run_array

pytestmark = pytest.mark.cluster

# Ends with 0 if a cluster answers.
ANSWERS = {"slurm": ["sinfo", "--noheader"], "sge": ["qstat", "-f"]}
LISTS = {"slurm": ["squeue", "--noheader"], "sge": ["qstat"]}


@pytest.fixture(params=sorted(ANSWERS))
def backend(request, tmp_path, monkeypatch):
    name, command = request.param, ANSWERS[request.param]
    if name == "sge":
        for variable, value in (("SGE_ROOT", "/var/lib/gridengine"), ("SGE_CELL", "default")):
            monkeypatch.setenv(variable, os.environ.get(variable, value))
    why = f"no running {name}; tools/installers/{name}_up.sh starts one"
    if shutil.which(command[0]) is None:
        pytest.skip(why)
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if done.returncode != 0 or not done.stdout:
        pytest.skip(why)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.fixture
def run(backend):
    return lambda *argv: run_array(parse(["--backend", backend, *argv]))


def test_an_array_runs_and_the_member_that_fails_once_is_run_again_alone(run):
    script = "echo JOB >> ran.JOB; test JOB != 2 -o \\$(wc -l < ran.JOB) = 2"
    run("--max_jobs_run", "2", "--num_tries", "2", "JOB=1:3", "log/x.JOB.log", "bash", "-c", script)
    assert [Path(f"ran.{n}").read_text().split() for n in (1, 2, 3)] == [["1"], ["2", "2"], ["3"]]


def test_members_that_always_fail_are_told_with_their_error(run):
    with pytest.raises(JobError) as error:
        run("--num_tries", "2", "JOB=1:4", "log/x.JOB.log", "echo", "bad", "JOB;", "exit", "$((JOB%2*99))")
    assert "log/x.1.log (code 99)" in str(error.value)
    assert "  | bad 1" in str(error.value)
    assert str(error.value).endswith("2 / 4 failed, log is in log/x.*.log")


def test_a_killed_job_is_a_failure_of_which_the_queue_tells(run):
    with pytest.raises(JobError, match=r"(Slurm|Grid Engine) job \d+ says: "):
        run("log/x", "kill", "-9", "$$")


def test_threads_memory_and_time_are_asked_for(run):
    run("--num_threads", "2", "--mem", "100M", "--time", "0:10:00", "log/x", "echo", "$OMP_NUM_THREADS")
    assert "\n2\n" in Path("log/x").read_text()


def test_ctrl_c_cancels_the_jobs(run, backend):
    threading.Timer(5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(InterruptedJobsError):
        run("JOB=1:2", "log/zspex_cancelled.JOB.log", "sleep", "60")
    assert "zspex_canc" not in subprocess.run(LISTS[backend], capture_output=True, text=True, check=True).stdout
    assert job_log.ending(Path("log/zspex_cancelled.1.log")) != "0"
