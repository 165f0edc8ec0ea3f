import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_for

from zspex_toolkit.launch.guard import Guard

SAVES = "trap 'sleep 0.3; touch saved.JOB; exit' TERM; touch ready.JOB; while :; do sleep 0.1; done"


def running(text):
    return text in subprocess.check_output(["ps", "-eo", "args"], text=True)


@pytest.fixture
def killed(tmp_path, monkeypatch):
    """A function that starts run_jobs on this machine, and kills it with SIGKILL once two jobs are ready."""
    monkeypatch.chdir(tmp_path)

    def run(*command):
        argv = [sys.executable, "-m", "zspex_toolkit.bin.run_jobs", "--max_jobs_run", "2", "JOB=1:3", "log.JOB"]
        with subprocess.Popen([*argv, *command]) as process:
            wait_for(lambda: len(list(Path().glob("ready.*"))) == 2)
            process.kill()

    return run


def test_jobs_whose_starter_was_killed_save_and_end_and_no_further_one_begins(killed, tmp_path):
    killed("bash", "-c", SAVES)
    wait_for(lambda: len(list(Path().glob("saved.*"))) == 2)
    assert not Path("ready.3").exists()
    wait_for(lambda: not running("guard.sh 60"))


def test_of_a_killed_starter_no_child_of_a_job_is_left(killed):
    marker = f"7{os.getpid()}.5"  # a number of seconds that no other process sleeps
    killed("touch", "ready.JOB;", "sleep", marker, "|", "cat")
    wait_for(lambda: not running(marker))


def test_a_guard_that_is_gone_disturbs_no_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = "kill -KILL $(pgrep -P $PPID -f '[g]uard.sh'); touch ready.JOB"
    argv = [sys.executable, "-m", "zspex_toolkit.bin.run_jobs", "--max_jobs_run", "1", "JOB=1:2", "log.JOB"]
    assert subprocess.run([*argv, "bash", "-c", script]).returncode == 0
    assert len(list(Path().glob("ready.*"))) == 2


def test_a_guard_goes_and_leaves_what_runs_when_its_starter_has_not_been_killed():
    job = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with Guard() as guard:
        guard.started(job.pid)
    assert job.poll() is None
    job.kill()
    job.wait()
