import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.waiting import wait_for

from zspex_toolkit.launch.contract import parse
from zspex_toolkit.launch.job_script import job_script, queue_folder_and_name


@pytest.mark.parametrize(
    ("argv", "folder", "name"),
    [
        ("JOB=1:4 exp/log/x.JOB.log c", "exp/q", "x"),
        ("JOB=1:4 exp/x.JOB.log c", "exp/q", "x"),
        ("log/train.log c", "q", "train"),
        ("JOB=1:2 exp/JOB c", "exp/q", "jobs"),
        ("JOB=3 exp/log/x.JOB.log c", "exp/q", "x.3"),
        ("log/7days@night.log c", "q", "_7days_night"),
    ],
)
def test_the_script_lies_where_queue_pl_has_it(argv, folder, name):
    assert queue_folder_and_name(parse(argv.split())) == (Path(folder), name)


def run(script, task):
    return subprocess.run(["bash", "-c", script], env={"TASK": str(task), "PATH": "/usr/bin:/bin"}).returncode


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_path_sh_of_the_folder_is_read_and_our_environment_comes_before_it(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "our folder")
    Path("path.sh").write_text("export SITE=yes PYTHONPATH=theirs\n")
    run(job_script(parse(["x", "echo", "$SITE", "$PYTHONPATH"]), [1], [1], "TASK"), 0)
    assert "yes our folder\n" in Path("x").read_text()


def test_jobs_compute_with_the_instructions_that_their_starter_is_held_to(monkeypatch):
    names = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")
    for name in names:
        monkeypatch.setenv(name, f"a {name}")
    run(job_script(parse(["x", "echo", *(f"${name}" for name in names)]), [1], [1], "TASK"), 0)
    assert "a ATEN_CPU_CAPABILITY a ONEDNN_MAX_CPU_ISA\n" in Path("x").read_text()


LISTENS = "import signal, sys, time; signal.signal(signal.SIGUSR1, lambda *_: (print('warned'), sys.exit(75))); "
LISTENS += "print('ready', flush=True); time.sleep(600)"  # Python sets its handler though its parent ignores the signal
WORKS_ON = "echo ready; sleep 1; echo done"
PROGRAMS = [((sys.executable, "-c", LISTENS), 75, "warned"), (("bash", "-c", WORKS_ON), 0, "done")]


@pytest.mark.parametrize("warning", [signal.SIGUSR1, signal.SIGUSR2])
@pytest.mark.parametrize(("program", "status", "said"), PROGRAMS)
def test_a_warning_goes_on_to_who_listens_for_it_and_others_work_on(warning, program, status, said):
    script = job_script(parse(["x", *program]), [1], [1], "TASK")
    process = subprocess.Popen(["bash", "-c", script], start_new_session=True)
    wait_for(lambda: Path("x").exists() and "\nready\n" in Path("x").read_text())
    process.send_signal(warning)
    assert process.wait(240) == status
    assert f"ready\n{said}\n# Accounting" in Path("x").read_text()


def test_what_starts_a_job_again_is_run_only_after_status_75_of_one_that_may_be():
    again = {"directives": ["#SBATCH --requeue"], "start_again": "touch again.$number"}
    jobs = parse(["--requeue", "true", "JOB=1:99", "x.JOB", "exit", "JOB"])
    script = job_script(jobs, range(1, 100), range(1, 100), "TASK", **again)
    assert script.splitlines()[1] == "#SBATCH --requeue"
    assert [run(script, status) for status in (7, 75)] == [7, 75]
    assert not Path("again.7").exists() and Path("again.75").exists()
    plain = job_script(replace(jobs, requeue=False), [75], [75], "TASK", **again)
    assert "touch" not in plain and "SBATCH" not in plain


def test_a_log_that_cannot_be_written_is_a_failure_and_the_command_does_not_run():
    assert run(job_script(parse(["missing/x", "touch", "ran"]), [1], [1], "TASK"), 0) == 1
    assert not Path("ran").exists()
