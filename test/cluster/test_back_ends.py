"""The back ends on a real Slurm and a real Grid Engine, as tools/installers/{slurm,sge}_up.sh start them."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.waiting import act_while_waiting, signal_when

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch import job_log, queue
from zspex_toolkit.launch.contract import parse
from zspex_toolkit.launch.interruption import InterruptedJobsError
from zspex_toolkit.launch.run_jobs import run_array

pytestmark = pytest.mark.cluster

LISTS = {"slurm": ["squeue", "--noheader"], "sge": ["qstat"]}


@pytest.fixture(params=["sge", "slurm"])
def backend(request, require):
    return require(request.param)


@pytest.fixture
def run(backend):
    return lambda *argv: run_array(parse(["--backend", backend, *argv]))


def test_an_array_runs_and_the_member_that_fails_once_is_run_again_alone(run):
    script = "echo JOB >> ran.JOB; test JOB != 2 -o \\$(wc -l < ran.JOB) = 2"
    run("--max_jobs_run", "2", "--num_tries", "2", "JOB=1:3", "log/x.JOB.log", "bash", "-c", script)
    assert [Path(f"ran.{n}").read_text().split() for n in (1, 2, 3)] == [["1"], ["2", "2"], ["3"]]


def test_members_that_always_fail_are_tried_as_often_as_asked_and_told_with_their_error(run):
    script = "echo bad JOB; echo x >>ran.JOB; exit $((JOB%2*99))"
    with pytest.raises(JobError) as error:
        run("--num_tries", "3", "JOB=1:4", "log/x.JOB.log", *script.split())
    assert [len(Path(f"ran.{n}").read_text().split()) for n in (1, 2, 3, 4)] == [3, 1, 3, 1]
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
    signal_when((Path("began.1").exists, signal.SIGINT))
    with pytest.raises(InterruptedJobsError):
        run("JOB=1:2", "log/zspex_cancelled.JOB.log", "touch", "began.JOB;", "sleep", "600")
    assert "zspex_canc" not in subprocess.run(LISTS[backend], capture_output=True, text=True, check=True).stdout
    assert job_log.ending(Path("log/zspex_cancelled.1.log")) != "0"


def test_a_job_that_was_stopped_goes_back_into_the_queue_and_is_waited_for(run):
    script = "echo x >> ran.JOB; test JOB = 1 -o \\$(wc -l < ran.JOB) = 2 || exit 75"
    run("--requeue", "true", "JOB=1:2", "log/x.JOB.log", "bash", "-c", script)
    assert [len(Path(f"ran.{n}").read_text().split()) for n in (1, 2)] == [1, 2]
    assert "with status 75" in Path("log/x.2.log").read_text()


def test_a_cancelled_job_that_saves_does_not_come_back(run, backend):
    program = "import signal, sys, time; signal.signal(15, s := lambda *_: sys.exit(75)); signal.signal(10, s); "
    program += "open('began', 'w'); time.sleep(600)"
    signal_when((Path("began").exists, signal.SIGINT))
    with pytest.raises(InterruptedJobsError):
        run("--requeue", "true", "log/zspex_stopped.log", sys.executable, "-c", program)
    assert job_log.ending(Path("log/zspex_stopped.log")) in ("75", None)
    assert "zspex_stop" not in subprocess.run(LISTS[backend], capture_output=True, text=True, check=True).stdout


def test_a_job_that_a_killed_command_left_has_ended_before_its_successor_begins(run, backend, capfd):
    program = "import signal, sys, time; save = lambda *_: (time.sleep(2), print('saved', file=open('order', 'a')), "
    program += "sys.exit(75)); signal.signal(15, save); signal.signal(10, save); open('began', 'w'); time.sleep(600)"
    argv = ["-m", "zspex_toolkit.bin.run_jobs", "--backend", backend, "--requeue", "true", "log/x"]
    with subprocess.Popen([sys.executable, *argv, sys.executable, "-c", program]) as command:
        while not Path("began").exists() and command.poll() is None:
            time.sleep(0.1)
        command.kill()
    run("log/x", "echo", "second", ">>order")
    assert Path("order").read_text().split() == ["saved", "second"]
    assert "of an earlier start is still in the queue; cancelling it" in capfd.readouterr().err
    assert Path("log/x").read_text().count("# Started at") == 1


def test_a_log_folder_that_is_a_file_is_told_before_anything_is_submitted(run):
    Path("log").write_text("")
    with pytest.raises(JobError, match=r"cannot write log/x: File exists"):
        run("log/x", "touch", "ran")
    assert not Path("ran").exists()


def test_folders_with_blanks_commas_and_colons_and_numbers_above_every_limit(run, tmp_path, monkeypatch):
    (tmp_path / "a b, c:d").mkdir()
    monkeypatch.chdir(tmp_path / "a b, c:d")
    run("--max_jobs_run", "1", "JOB=90001:90002", "my exp/log/7 days.JOB.log", "echo", "JOB", "a  b")
    assert "\n90002 a  b\n" in Path("my exp/log/7 days.90002.log").read_text()


def test_a_full_disk_in_one_job_is_a_failure_of_that_job_alone(run):
    """A limit of 8 kB on the size of files stands for the disk; the job's log has room."""
    script = "ulimit -f $((JOB==2?8:1000)); yes | head -c 99999 >out.JOB; sync out.JOB; "
    script += "test $(stat -c %s out.JOB) = 99999"
    with pytest.raises(JobError, match=r"log/x\.2\.log \(code \d+\)(?s:.*)1 / 2 failed"):
        run("JOB=1:2", "log/x.JOB.log", *script.split())
    assert [Path(f"out.{n}").stat().st_size for n in (1, 2)] == [99999, 8192]


def test_a_job_whose_log_has_no_room_is_a_failure_of_which_the_queue_tells(run):
    """The end of the log cannot be written either: the limit holds for the job's script ($$), too."""
    script = "test JOB = 1 || { prlimit --fsize=4096 --pid $$; ulimit -f 4; yes | head -c 99999; }"
    with pytest.raises(JobError, match=r"1 / 2 failed, log is in log/x\.\*\.log"):
        run("JOB=1:2", "log/x.JOB.log", *script.split())
    assert job_log.ending(Path("log/x.1.log")) == "0"
    assert re.search(r"(Slurm|Grid Engine) job \d+ says: ", Path("log/x.2.log").read_text())


@pytest.mark.parametrize("what", ["zero", "urandom"])
def test_a_huge_log_of_anything_is_read_for_its_end_alone(run, what):
    run("log/x", "head", "-c", "100000000", f"/dev/{what}")
    assert job_log.ending(Path("log/x")) == "0"
    with pytest.raises(JobError) as error:
        run("log/y", "head", "-c", "100000000", f"/dev/{what};", "exit", "7")
    assert "log/y (code 7)" in str(error.value) and "\ufffd" in str(error.value)
    assert len(str(error.value)) < 20_000
    for name in ("x", "y"):
        Path("log", name).unlink()


@pytest.fixture
def answering(backend, tmp_path, monkeypatch):
    """A function by which the daemon, as far as our commands can see, goes away (False) and comes back (True)."""
    if backend == "sge":
        return lambda yes: (
            monkeypatch.delenv("SGE_QMASTER_PORT") if yes else monkeypatch.setenv("SGE_QMASTER_PORT", "9")
        )
    shown = subprocess.check_output(["scontrol", "show", "config"], text=True)
    (real,) = re.findall(r"^SLURM_CONF +=(.*)$", shown, re.MULTILINE)
    silent = tmp_path / "etc" / "slurm.conf"
    silent.parent.mkdir()
    silent.write_text(re.sub(r"(?m)^SlurmctldPort=.*\n", "", Path(real.strip()).read_text()) + "SlurmctldPort=9\n")
    return lambda yes: monkeypatch.setenv("SLURM_CONF", real.strip() if yes else str(silent))


def test_a_daemon_that_is_away_while_jobs_are_submitted_gets_them_when_it_is_back(run, answering, monkeypatch, capfd):
    answering(False)
    act_while_waiting(monkeypatch, lambda: None, lambda: answering(True))
    monkeypatch.setattr(queue, "_SUBMIT_WAITS_S", (0.1, 0.1, 0.1))
    run("JOB=1:2", "log/x.JOB.log", "echo", "x", ">>ran.JOB")
    assert capfd.readouterr().err.count("does not answer; submitting again in 0.1 s") == 2
    assert [Path(f"ran.{n}").read_text() for n in (1, 2)] == ["x\n"] * 2


def test_a_daemon_that_is_away_while_jobs_run_is_asked_until_it_is_back(run, answering, monkeypatch, capfd):
    act_while_waiting(monkeypatch, lambda: answering(False), lambda: None, lambda: answering(True))
    run("JOB=1:2", "log/x.JOB.log", "sleep", "2;", "echo", "x", ">>ran.JOB")
    assert capfd.readouterr().err.count("does not answer; going on to ask") == 1
    assert [Path(f"ran.{n}").read_text() for n in (1, 2)] == ["x\n"] * 2


def test_a_log_folder_that_is_gone_on_the_node_is_a_failure_that_says_so(run, backend):
    """The queue takes the job, whose log cannot be written where it runs."""
    Path("conf").mkdir()
    submit = {"slurm": ("slurm.conf", "sbatch"), "sge": ("queue.conf", "qsub -V -cwd -S /bin/bash -j y")}
    name, command = submit[backend]
    Path("conf", name).write_text(f"command rm -r log; touch log; {command}\n")
    with pytest.raises(JobError, match=r"log/x \(it did not end by itself\)[^$]*no log: Not a directory"):
        run("log/x", "touch", "ran")
    assert not Path("ran").exists()
