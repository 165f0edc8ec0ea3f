import subprocess
from pathlib import Path

import pytest

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
    ],
)
def test_the_script_lies_where_queue_pl_has_it(argv, folder, name):
    assert queue_folder_and_name(parse(argv.split())) == (Path(folder), name)


def run(script, task):
    return subprocess.run(["bash", "-c", script], env={"TASK": str(task), "PATH": "/usr/bin:/bin"}).returncode


@pytest.fixture
def _in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_in_tmp")
def test_where_the_queue_cannot_leave_tasks_out_they_stand_for_the_jobs():
    jobs = parse(["JOB=1:9", "x.JOB", "echo", "job", "JOB"])
    assert run(job_script(jobs, [2, 5, 7], [1, 2, 3], "TASK"), 2) == 0
    assert "job 5\n" in Path("x.5").read_text()


@pytest.mark.usefixtures("_in_tmp")
def test_the_path_sh_of_the_folder_is_read_and_our_environment_comes_before_it(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "our folder")
    Path("path.sh").write_text("export SITE=yes PYTHONPATH=theirs\n")
    run(job_script(parse(["x", "echo", "$SITE", "$PYTHONPATH"]), [1], [1], "TASK"), 0)
    assert "yes our folder\n" in Path("x").read_text()


@pytest.mark.usefixtures("_in_tmp")
def test_jobs_have_the_compiled_functions_that_their_starter_has(monkeypatch):
    names = ("ZSPEX_NATIVE", "ZSPEX_CACHE", "CXX", "XDG_CACHE_HOME")
    for name in names:
        monkeypatch.setenv(name, f"a {name}")
    run(job_script(parse(["x", "echo", *(f"${name}" for name in names)]), [1], [1], "TASK"), 0)
    assert "a ZSPEX_NATIVE a ZSPEX_CACHE a CXX a XDG_CACHE_HOME\n" in Path("x").read_text()


@pytest.mark.usefixtures("_in_tmp")
def test_the_jobs_status_is_the_scripts_unless_it_means_something_to_the_queue():
    jobs, numbers = parse(["JOB=1:200", "x.JOB", "exit", "JOB"]), range(1, 201)
    script = job_script(jobs, numbers, numbers, "TASK")
    assert [run(script, status) for status in (7, 99)] == [7, 99]
    script = job_script(jobs, numbers, numbers, "TASK", remapped_statuses=(99,))
    assert [run(script, status) for status in (7, 99)] == [7, 1]


@pytest.mark.usefixtures("_in_tmp")
def test_a_log_that_cannot_be_written_is_a_failure_and_the_command_does_not_run():
    assert run(job_script(parse(["missing/x", "touch", "ran"]), [1], [1], "TASK"), 0) == 1
    assert not Path("ran").exists()
