import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import signal_when, wait_for

from zspex_toolkit.launch import interruption, job_log
from zspex_toolkit.launch.backends import local
from zspex_toolkit.launch.contract import parse
from zspex_toolkit.launch.interruption import InterruptedJobsError

RUN_JOBS = [sys.executable, "-m", "zspex_toolkit.bin.run_jobs"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *argv: local.run(parse(list(argv)))


def says(path, text):
    """Whether a line of the log is this text."""
    return lambda: Path(path).exists() and text in Path(path).read_text().splitlines()


def processes():
    """The command line of each process of this machine."""
    return subprocess.check_output(["ps", "-eo", "args"], text=True)


def guards_here():
    """Guards that watch jobs started in this folder; other recipes on the machine have theirs."""
    listed = (
        line.split(None, 1) for line in subprocess.check_output(["ps", "-eo", "pid,args"], text=True).splitlines()
    )
    return [pid for pid, command in listed if "guard.sh" in command and working_folder(pid) == os.getcwd()]


def working_folder(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:  # it has ended meanwhile
        return None


def output(path):
    return [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]


def test_output_errors_and_the_jobs_own_exit_code_go_to_the_log(run):
    assert run("log/x", "echo", "one;", "echo", "two", ">&2;", "exit", "7") == [1]
    assert output("log/x") == ["one", "two"]
    assert "# Ended (code 7) at" in Path("log/x").read_text()


def test_no_more_jobs_run_at_once_than_asked(run):
    # Each counts those that run, itself among them; the first two wait for each other.
    count = "touch now.JOB; until test -e now.2 -o -e ended.2; do sleep 0.02; done; "
    count += "echo now.* | wc -w; sleep 0.1; rm now.JOB; touch ended.JOB"
    assert run("--max_jobs_run", "2", "JOB=1:6", "log/JOB", *count.split()) == []
    assert max(int(output(f"log/{n}")[0]) for n in range(1, 7)) == 2


def test_as_many_jobs_run_as_there_are_processors_with_slack_for_a_few_left_over(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(10)))
    limit = lambda argv: local._default_limit(parse(argv.split()), 0)  # noqa: E731
    assert limit("JOB=1:100 JOB.log x") == 10
    assert limit("JOB=1:13 JOB.log x") == 13
    assert limit("JOB=1:14 JOB.log x") == 10
    assert limit("--num_threads 4 JOB=1:100 JOB.log x") == 2


def test_threads_asked_for_are_given(run, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run("--num_threads", "3", "log/x", "echo", "$OMP_NUM_THREADS")
    run("log/y", "echo", "$OMP_NUM_THREADS")
    assert (output("log/x"), output("log/y")) == (["3"], ["1"])
    assert re.search(r"^# Accounting: time=\d+ threads=3$", Path("log/x").read_text(), re.MULTILINE)


def test_each_job_gets_its_own_gpu_and_jobs_share_when_more_run_than_there_are(run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    run("--gpu", "1", "JOB=1:2", "log/JOB", "sleep", "0.3;", "echo", "$CUDA_VISIBLE_DEVICES")
    assert [output("log/1"), output("log/2")] == [["4"], ["6"]]
    run("--gpu", "1", "--max_jobs_run", "4", "JOB=1:4", "log/JOB", "sleep", "0.3;", "echo", "$CUDA_VISIBLE_DEVICES")
    assert sorted(output(f"log/{n}")[0] for n in (1, 2, 3, 4)) == ["4", "4", "6", "6"]


def test_a_gpu_asked_for_where_there_is_none_is_said(run, monkeypatch, capsys):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(local.shutil, "which", lambda name: None)
    assert run("--gpu", "1", "log/x", "true") == []
    assert "nvidia-smi shows no GPU; one job at a time" in capsys.readouterr().err


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_gpus_that_are_hidden_are_not_given_to_jobs(run, monkeypatch, capsys, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    listing = Path("bin/nvidia-smi")
    listing.parent.mkdir()
    listing.write_text("#!/bin/bash\necho 'GPU 0: one'\n")
    listing.chmod(0o755)
    monkeypatch.setenv("PATH", str(listing.parent.resolve()), prepend=":")
    assert run("--gpu", "1", "log/x", "echo", "[$CUDA_VISIBLE_DEVICES]") == []
    assert output("log/x") == [f"[{hidden}]"]
    assert f"CUDA_VISIBLE_DEVICES='{hidden}' hides them; one job at a time" in capsys.readouterr().err


def test_a_signal_ends_all_jobs_with_their_children(run):
    signal_when((says("log/1", "began"), signal.SIGTERM))
    with pytest.raises(InterruptedJobsError, match="interrupted by SIGTERM"):
        run("--max_jobs_run", "1", "JOB=1:2", "log/JOB", "echo", "began;", "sleep", "30", "|", "cat;", "echo", "$$")
    assert job_log.ending(Path("log/1")) == "143"
    assert not os.path.exists("log/2")
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_program_within_other_shells_has_time_to_save_its_work_and_what_follows_it_is_not_begun(run):
    program = "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(0.3), sys.exit(75))); "
    program += "print('began', flush=True); time.sleep(30)"
    signal_when((says("log/x", "began"), signal.SIGTERM))
    with pytest.raises(InterruptedJobsError):
        run("log/x", sys.executable, "-c", program, ";", "touch", "followed")
    assert job_log.ending(Path("log/x")) == "75"
    assert not Path("followed").exists()


def test_a_job_that_ignores_the_signal_is_killed_after_the_grace_time(run, monkeypatch):
    monkeypatch.setattr(local, "GRACE_S", 0.3)
    signal_when((says("log/x", "began"), signal.SIGINT))
    with pytest.raises(InterruptedJobsError):
        run("log/x", "trap", "''", "TERM;", "echo", "began;", "sleep", "30")
    assert job_log.ending(Path("log/x")) == "0; signal 9"


def test_a_further_signal_ends_jobs_at_once_that_are_waited_for(run, monkeypatch):
    monkeypatch.setattr(local, "_TOLD_AFTER_S", 0.2)
    monkeypatch.setattr(interruption, "_SAME_S", 0.1)
    monkeypatch.setattr(local, "GRACE_S", 10**6)
    said = []
    monkeypatch.setattr(local, "print", lambda text, file: said.append(text), raising=False)
    began = [says(f"log/{number}", "began") for number in (1, 2)]
    signal_when((lambda: all(job() for job in began), signal.SIGINT), (lambda: said, signal.SIGINT))
    with pytest.raises(InterruptedJobsError, match="interrupted by SIGINT"):
        run("--max_jobs_run", "2", "JOB=1:2", "log/JOB", "trap", "''", "TERM;", "echo", "began;", "sleep", "600")
    assert [job_log.ending(Path(f"log/{n}")) for n in (1, 2)] == ["0; signal 9"] * 2
    assert said == ["run_jobs: waiting for jobs to save; Ctrl-C again ends them at once"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_no_process_is_left_behind(tmp_path):
    marker = f"4{os.getpid()}.5"  # a number of seconds that no other process sleeps
    process = subprocess.Popen(
        [*RUN_JOBS, "--max_jobs_run", "2", "JOB=1:2", f"{tmp_path}/JOB", "sleep", marker, "|", "cat"],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: processes().splitlines().count(f"sleep {marker}") == 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 2
    assert errors == "run_jobs: interrupted by SIGINT; the running jobs were ended\n"
    assert marker not in processes()


SAVES = "trap 'sleep 0.3; touch saved.JOB; exit' TERM; touch ready.JOB; while :; do sleep 0.1; done"


@pytest.fixture
def killed(tmp_path, monkeypatch):
    """A function that starts run_jobs on this machine, and kills it with SIGKILL once two jobs are ready."""
    monkeypatch.chdir(tmp_path)

    def run(*command):
        with subprocess.Popen([*RUN_JOBS, "--max_jobs_run", "2", "JOB=1:3", "log.JOB", *command]) as process:
            wait_for(lambda: len(list(Path().glob("ready.*"))) == 2)
            process.kill()

    return run


def test_jobs_whose_starter_was_killed_save_and_end_and_no_further_one_begins(killed):
    killed("bash", "-c", SAVES)
    wait_for(lambda: len(list(Path().glob("saved.*"))) == 2)
    assert not Path("ready.3").exists()
    wait_for(lambda: not guards_here())


def test_of_a_killed_starter_no_child_of_a_job_is_left(killed):
    marker = f"7{os.getpid()}.5"  # a number of seconds that no other process sleeps
    killed("touch", "ready.JOB;", "sleep", marker, "|", "cat")
    wait_for(lambda: marker not in processes())


def test_a_guard_that_is_gone_disturbs_no_job(run):
    script = "kill -KILL $(pgrep -P $PPID -f '[g]uard.sh'); touch ready.JOB"
    done = subprocess.run([*RUN_JOBS, "--max_jobs_run", "1", "JOB=1:2", "log.JOB", "bash", "-c", script])
    assert done.returncode == 0
    assert len(list(Path().glob("ready.*"))) == 2


def test_a_guard_goes_and_leaves_what_runs_when_its_starter_has_not_been_killed():
    job = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with local.Guard() as guard:
        guard.started(job.pid)
    assert job.poll() is None
    job.kill()
    job.wait()
