"""What every queue does, on Slurm and on Grid Engine that only pretend."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.waiting import act_while_waiting, signal_when, wait_for

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch import job_log, queue, scheduler
from zspex_toolkit.launch.contract import parse
from zspex_toolkit.launch.interruption import InterruptedJobsError
from zspex_toolkit.launch.run_jobs import run_array, run_jobs
from zspex_toolkit.registry import load

SUBMIT = {"slurm": "sbatch", "sge": "qsub"}
CANCEL = {"slurm": "scancel", "sge": "qdel"}
SAVES = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(75)); open('began', 'w'); time.sleep(600)"
SAVES = (sys.executable, "-c", SAVES)
NAMES = {"slurm": "Slurm", "sge": "Grid Engine"}


every_back_end = pytest.mark.parametrize("backend", ["local", "slurm", "sge"], indirect=True)


@pytest.fixture(params=["slurm", "sge"])
def backend(request, cluster):
    return request.param


@pytest.fixture
def run(backend):
    return lambda *argv: load("launch.backends", backend)(parse(list(argv)))


@pytest.fixture
def run_all(backend):
    return lambda *argv: run_array(parse(["--backend", backend, *argv]))


def times_run(*numbers):
    """How often each of the jobs has written a line to its file."""
    return [len(Path(f"ran.{number}").read_text().split()) for number in numbers]


def output(path):
    return [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]


@every_back_end
def test_each_job_has_its_number_and_its_log(run):
    assert run("JOB=1:3", "log/x.JOB.log", "echo", "partJOB", "|", "tr", "p", "P") == []
    assert [output(f"log/x.{n}.log") for n in (1, 2, 3)] == [["Part1"], ["Part2"], ["Part3"]]


def test_one_job_is_no_array(run, backend, cluster):
    assert run("--max_jobs_run", "2", "JOB=3", "log/x.JOB.log", "echo", "JOB") == []
    assert output("log/x.3.log") == ["3"]
    assert not re.search(r" (--array|-t|-tc) ", cluster.calls(SUBMIT[backend])[0])
    assert run("log/y", "echo", "JOB") == []
    assert output("log/y") == ["JOB"]


@every_back_end
def test_arguments_are_literal_from_python(backend):
    program = "import sys; open('argument.JOB', 'w').write(sys.argv[1])"
    argument = "a  b; $HOME 'x' \"y\" | JOB"
    command = f"python -m zspex_toolkit.bin.run_jobs --backend {backend}"
    run_jobs(command, num_jobs=2, log="log/JOB", argv=[sys.executable, "-c", program, argument])
    assert Path("argument.2").read_text() == argument.replace("JOB", "2")


def test_header_and_trailer_are_those_of_queue_pl(run):
    run("--num_threads", "2", "log/x", "echo", "hello;", "exit", "3")
    date = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \w+ \d{4}"
    expected = (
        rf"# Running on \S+\n# Started at {date}\n# echo hello; exit 3\nhello\n"
        rf"# Accounting: time=\d+ threads=2\n# Finished at {date} with status 3\n"
    )
    assert re.fullmatch(expected, Path("log/x").read_text())


@every_back_end
def test_failed_jobs_are_returned_and_the_others_run_to_their_end(run):
    assert sorted(run("JOB=1:4", "log/JOB", "bash", "-c", "exit $((JOB % 2))")) == [1, 3]
    assert [job_log.ending(Path(f"log/{n}")) for n in (1, 2, 3, 4)] == ["1", "0", "1", "0"]


def test_statuses_that_a_queue_takes_for_orders_are_failures(run):
    assert run("JOB=1:2", "log/JOB", "exit", "$((98+JOB))") == [1, 2]


@every_back_end
def test_a_failure_tells_the_error_and_the_log(run_all):
    with pytest.raises(JobError) as error:
        run_all("JOB=1:3", "log/x.JOB.log", "echo", "bad", "JOB;", "test", "JOB", "-ne", "2")
    text = str(error.value)
    assert "log/x.2.log (code 1)" in text
    assert "  | bad 2" in text
    assert text.endswith("1 / 3 failed, log is in log/x.*.log")


@every_back_end
def test_failed_members_alone_are_run_again(run_all, backend, cluster, capsys):
    script = "echo x >> ran.JOB; test JOB != 2 -a JOB != 4 -o \\$(wc -l < ran.JOB) = 3"
    run_all("--num_tries", "3", "JOB=1:5", "log/JOB", "bash", "-c", script)
    assert times_run(1, 2, 3, 4, 5) == [1, 3, 1, 3, 1]
    assert "run_jobs: failed: 2 (1), 4 (1); try 3 of 3, log: log/*" in capsys.readouterr().err
    if backend in SUBMIT:
        array = {"slurm": "--array 2,4", "sge": "-t 1-2"}[backend]
        assert [array in call for call in cluster.calls(SUBMIT[backend])] == [False, True, True]


def test_after_the_last_try_the_failure_is_told(run_all):
    with pytest.raises(JobError, match=r"1 / 2 failed, log is in log/\*"):
        run_all("--num_tries", "2", "JOB=1:2", "log/JOB", "echo", "x", ">>ran.JOB;", "test", "JOB", "=", "1")
    assert times_run(1, 2) == [1, 2]


def test_a_job_that_was_killed_is_a_failure_and_its_log_tells_what_the_queue_says(run, backend):
    assert run("log/x", "echo", "so", "far;", "kill", "-9", "$$") == [1]
    says = {"slurm": "Slurm job 1 says: FAILED (NonZeroExitCode)", "sge": "Grid Engine job 1 says: exit status 137"}
    assert output("log/x")[0] == "so far"
    assert output("log/x")[1].startswith(says[backend])


def test_a_job_that_ended_well_for_itself_but_not_for_the_queue_is_a_failure(run, backend, cluster):
    cluster.set("say", "TIMEOUT TimeLimit")
    assert run("log/x", "true") == [1]
    says = {"slurm": "TIMEOUT (TimeLimit)", "sge": "exit status 137, failed 100 : assumedly after job"}
    assert f"job 1 says: {says[backend]}" in Path("log/x").read_text()
    assert job_log.ending(Path("log/x")) == "1"


def test_a_job_that_the_queue_has_forgotten_is_judged_by_its_log(run, cluster):
    cluster.set("forget", "yes")
    assert run("JOB=1:2", "log/JOB", "exit", "$((JOB-1))") == [2]


def test_a_job_that_nobody_knows_of_is_a_failure(run, cluster):
    cluster.set("forget", "yes")
    assert run("log/x", "kill", "-9", "$$") == [1]
    assert "has forgotten it; the log had no end in 1.2 s" in Path("log/x").read_text()


def test_a_log_that_appears_late_is_waited_for(run, cluster):
    cluster.set("late", 0.5)
    assert run("JOB=1:2", "log/JOB", "echo", "JOB") == []
    assert output("log/1") == ["1"]


def test_the_log_of_an_earlier_run_is_not_taken_for_this_ones(run, cluster):
    assert run("log/x", "true") == []
    Path("log/x").chmod(0o444)
    assert run("log/x", "kill", "-9", "$$") == [1]


@every_back_end
def test_picked_jobs_only_are_run_again(run):
    script = ["bash", "-c", "echo x >> ran.JOB; test JOB = 1"]
    assert run("JOB=1:2", "log/JOB", *script) == [2]
    job_log.write_header(Path("log/3"), "killed with the machine")
    assert run("--pick", "incomplete", "JOB=1:3", "log/JOB", *script) == [2, 3]
    assert times_run(1, 2, 3) == [1, 1, 1]
    assert sorted(run("--pick", "failed", "JOB=1:3", "log/JOB", *script)) == [2, 3]
    assert times_run(1, 2, 3) == [1, 2, 2]


def test_a_job_that_was_stopped_and_may_be_started_again_is_waited_for(run, backend, cluster):
    script = "echo x >> ran.JOB; test JOB = 1 -o \\$(wc -l < ran.JOB) = 3 || exit 75"
    assert run("--requeue", "true", "JOB=1:2", "log/JOB", "bash", "-c", script) == []
    assert times_run(1, 2) == [1, 3]
    assert len(cluster.calls(SUBMIT[backend])) == 1
    assert Path("log/2").read_text().count("with status 75") == 2
    script = "echo x >> ran.alone; test \\$(wc -l < ran.alone) = 2 || exit 75"
    assert run("--requeue", "true", "log/alone", "bash", "-c", script) == []


def test_without_leave_a_stopped_job_has_failed(run):
    assert run("log/x", "exit", "75") == [1]
    assert job_log.ending(Path("log/x")) == "75"


def test_a_cancelled_job_does_not_come_back(run, cluster):
    signal_when((Path("began").exists, signal.SIGTERM))
    with pytest.raises(InterruptedJobsError):
        run("--requeue", "true", "log/x", *SAVES)
    wait_for(lambda: job_log.ending(Path("log/x")))
    time.sleep(0.7)  # it would come back within half a second
    assert job_log.ending(Path("log/x")) == "75"
    assert Path("log/x").read_text().count("# Started at") == 1
    assert cluster.calls("scontrol") == []


def test_ctrl_c_cancels_what_was_submitted(run, backend, cluster):
    signal_when((Path("began.1").exists, signal.SIGINT))
    with pytest.raises(InterruptedJobsError, match="interrupted by SIGINT"):
        run("JOB=1:2", "log/JOB", "touch", "began.JOB;", "sleep", "600")
    assert cluster.calls(CANCEL[backend]) == [f"{CANCEL[backend]} 1"]
    wait_for(lambda: job_log.ending(Path("log/1")))
    assert job_log.ending(Path("log/1")) == "143"
    assert not Path("log/2").exists()


@pytest.fixture
def submitted(backend):
    """The command that submitted a job, which now runs."""
    argv = ["-m", "zspex_toolkit.bin.run_jobs", "--backend", backend, "--requeue", "true", "log/x"]
    with subprocess.Popen([sys.executable, *argv, *SAVES], stderr=subprocess.DEVNULL) as process:
        wait_for(Path("began").exists)
        yield process
        process.terminate()


def test_a_job_that_a_killed_command_left_is_cancelled_before_its_successor_is_submitted(
    run, backend, cluster, submitted, capsys
):
    submitted.kill()
    submitted.wait()
    assert Path("q/x.job").exists()
    assert run("log/x", "echo", "second") == []
    said = f"run_jobs: {NAMES[backend]} job 1 of an earlier start is still in the queue; cancelling it\n"
    assert capsys.readouterr().err.startswith(said)
    assert cluster.calls(CANCEL[backend]) == [f"{CANCEL[backend]} 1"]
    assert output("log/x") == ["second"] and Path("log/x").read_text().count("# Started at") == 1
    assert not Path("q/x.job").exists()


def test_a_job_that_another_command_watches_is_left_alone(run, backend, cluster, submitted):
    with pytest.raises(JobError, match=rf"{NAMES[backend]} job 1 runs the same jobs .* pid {submitted.pid}$"):
        run("log/x", "echo", "second")
    assert len(cluster.calls(SUBMIT[backend])) == 1
    with pytest.raises(JobError, match=rf"{NAMES[backend]} job 1 of an earlier start may write the same files"):
        run_array(parse(["--backend", "local", "log/x", "echo", "second"]))


def test_of_a_job_that_a_killed_command_left_and_that_has_ended_nothing_is_said(
    run, backend, cluster, submitted, capsys
):
    submitted.kill()
    submitted.wait()
    scheduler.ask(CANCEL[backend], "1")
    wait_for(lambda: (cluster.folder / "1" / "0").read_text() == "CANCELLED")
    assert run("log/x", "true") == []
    assert "earlier start" not in capsys.readouterr().err


def test_a_signal_while_jobs_are_submitted_waits_and_then_cancels_them(run, backend, cluster, tmp_path):
    slow = tmp_path / "bin" / SUBMIT[backend]
    slow.write_text(slow.read_text().replace("exec", f"kill -TERM {os.getpid()}; sleep 0.3; exec"))
    with pytest.raises(InterruptedJobsError, match="interrupted by SIGTERM"):
        run("JOB=1:2", "log/JOB", "sleep", "600")
    assert cluster.calls(CANCEL[backend]) == [f"{CANCEL[backend]} 1"]


def test_a_queue_that_does_not_answer_is_asked_again(run, cluster, capsys, monkeypatch):
    """It is silent from the first look at a job that runs until it has been asked three times."""
    script = "until [ -e answered ]; do sleep 0.05; done"
    silent = cluster.folder / "silent"
    acts = (lambda: silent.write_text("yes"), lambda: None, lambda: None, silent.unlink, Path("answered").touch)
    act_while_waiting(monkeypatch, *acts)
    assert run("log/x", "bash", "-c", script) == []
    assert capsys.readouterr().err.count("does not answer; going on to ask") == 1


def test_jobs_of_which_the_queue_does_not_say_that_they_are_cancelled_are_named(
    run, backend, cluster, capsys, monkeypatch
):
    monkeypatch.setattr(queue, "_END_WAIT_S", 2)

    def interrupt():
        cluster.set("silent", "yes")
        os.kill(os.getpid(), signal.SIGINT)

    act_while_waiting(monkeypatch, interrupt)
    with pytest.raises(InterruptedJobsError):
        run("log/x", "sleep", "600")
    said = f"{NAMES[backend]} job 1 may still be in the queue; cancel it by: {CANCEL[backend]} 1"
    assert said in capsys.readouterr().err
    assert len(cluster.calls(CANCEL[backend])) > 1  # it was tried again
    (cluster.folder / "silent").unlink()
    scheduler.ask(CANCEL[backend], "1")


UNREACHABLE = {
    "slurm": "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
    "sge": "Unable to run job: failed receiving gdi request response for mid=1",
}


def test_submitting_is_tried_again_while_the_queue_does_not_answer(run, backend, cluster, capsys):
    cluster.set("refuse", f"2 {UNREACHABLE[backend]}")
    assert run("log/x", "true") == []
    assert capsys.readouterr().err.count("does not answer; submitting again in") == 2


def test_a_queue_that_never_answers_is_named_with_what_it_said(run, backend, cluster):
    cluster.set("refuse", f"9 {UNREACHABLE[backend]}")
    with pytest.raises(JobError, match=re.escape(UNREACHABLE[backend])):
        run("log/x", "true")


def test_a_refused_submission_is_told_at_once_with_the_command(run, backend, cluster):
    cluster.set("refuse", "1 invalid partition specified: gpu")
    with pytest.raises(JobError) as error:
        run("-p", "gpu", "log/x", "true")
    assert "(status 1): invalid partition specified: gpu\n" in str(error.value)
    assert f"{SUBMIT[backend]} " in str(error.value) and " -p gpu " in str(error.value)


def test_more_jobs_than_an_array_may_have_are_several_arrays(run, backend, cluster, monkeypatch):
    cluster.set("limit", 3)
    monkeypatch.setattr(queue, "_SMALL", 2)
    assert run("JOB=1:8", "log/x.JOB.log", "echo", "JOB;", "test", "JOB", "!=", "5") == [5]
    assert [output(f"log/x.{n}.log") for n in range(1, 9)] == [[str(n)] for n in range(1, 9)]
    array = {"slurm": " --array ", "sge": " -t "}[backend]
    assert [call.partition(array)[2].split()[0] for call in cluster.calls(SUBMIT[backend])] == ["1-3", "1-3", "1-2"]


def test_a_job_number_above_the_limit_is_no_task_of_that_number(run, cluster):
    cluster.set("limit", 1500)
    assert run("JOB=90001:90002", "log/JOB", "echo", "JOB") == []
    assert output("log/90002") == ["90002"]


def test_a_dry_run_prints_what_would_be_submitted_and_does_nothing(run, backend, cluster, capsys):
    argv = ["--num_threads", "2", "JOB=1:3", "log/x.JOB.log", "echo", "JOB"]
    run("--dry_run", *argv)
    printed = capsys.readouterr().out.splitlines()
    assert not list(Path(".").iterdir())
    run(*argv)
    script = Path("q/x.sh")
    assert printed[1:] == [f"# {script}:", *script.read_text().splitlines()]
    assert cluster.calls(SUBMIT[backend]) == [printed[0]]


def test_what_the_site_describes_is_handed_over(run, backend, cluster):
    Path("site.conf").write_text(
        f"command {SUBMIT[backend]} --site 'a b'\noption mem=* -m $0\noption gpu=0\ndefault gpu=0\n"
        "option max_jobs_run=* -tc $0\n"
    )
    assert run("--config", "site.conf", "--mem", "3G", "--max_jobs_run", "2", "JOB=1:2", "log/JOB", "true") == []
    call = cluster.calls(SUBMIT[backend])[0]
    assert call.startswith(f"{SUBMIT[backend]} --site a b -m 3G ")
    assert {"slurm": " --array 1-2%2 ", "sge": " -tc 2 "}[backend] in call


def test_the_sites_own_file_is_found_where_kaldi_has_it(run, backend, cluster):
    Path("conf").mkdir()
    Path({"slurm": "conf/slurm.conf", "sge": "conf/queue.conf"}[backend]).write_text(f"command {SUBMIT[backend]} -x\n")
    assert run("log/x", "true") == []
    assert cluster.calls(SUBMIT[backend])[0].startswith(f"{SUBMIT[backend]} -x ")


def test_a_log_folder_that_cannot_be_written_is_named(run):
    Path("log").write_text("a file")
    with pytest.raises(JobError, match=r"cannot write .*log/x.*: "):
        run("log/x/JOB", "true")
