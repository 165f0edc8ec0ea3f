import os
import pwd
from pathlib import Path

from zspex_toolkit.launch.backends import sge
from zspex_toolkit.launch.contract import parse


def test_the_job_is_read_from_every_form_of_answer():
    assert sge._job_id('Your job 7 ("x.sh") has been submitted\n') == "7"
    assert sge._job_id('Your job-array 7.1-4:1 ("x.sh") has been submitted\n') == "7"
    assert sge._job_id("7.1-4:1\n") == "7"
    assert sge._job_id("queued\n") is None


def test_the_last_record_of_a_task_that_was_run_again_counts():
    record = "{}\ntaskid       {}\nfailed       {}\nexit_status  {}\n"
    text = record.format("=" * 62, 1, "25  : rescheduling", 137) + record.format("=" * 62, 1, "0", 0)
    assert sge._read_accounting(text) == {1: "done"}
    assert sge._read_accounting(record.format("=" * 62, "undefined", "0", 3)) == {0: "exit status 3, failed 0"}


def test_of_a_task_that_was_put_back_into_the_queue_nothing_is_known_before_the_record_of_its_last_run():
    text = f"{'=' * 62}\ntaskid       2\nfailed       25  : rescheduling\nexit_status  99\n"
    assert sge._read_accounting(text) == {}


def test_jobs_that_saved_at_their_time_limit_are_submitted_again_and_alone(cluster):
    cluster.set("time_over", "yes")
    script = "echo x >>ran.JOB; test JOB != 2 || { test \\$(wc -l <ran.JOB) = 3 && rm $FAKE/time_over || exit 75; }"
    argv = ("JOB=1:3", "log/JOB", "bash", "-c", script + "; exit $((JOB==3?3:0))")
    assert sge.run(parse(["--requeue", "true", *argv])) == [1, 3]  # these did not save
    assert [len(Path(f"ran.{n}").read_text().split()) for n in (1, 2, 3)] == [1, 3, 1]
    assert len(cluster.calls("qsub")) == 3
    assert Path("log/2").read_text().count("with status 75") == 2
    assert "says: time is over: exit status 0, failed 37" in Path("log/1").read_text()


def test_without_leave_a_job_that_saved_at_its_time_limit_has_failed(cluster):
    cluster.set("time_over", "yes")
    assert sge.run(parse(["log/x", "exit", "75"])) == [1]
    assert len(cluster.calls("qsub")) == 1


def test_a_job_that_the_queue_holds_for_an_error_has_failed_and_is_deleted(cluster):
    cluster.set("say", "ENDED 0")
    state = cluster.folder / "1" / "2"
    script = f"if [ JOB = 2 ]; then echo -n Eqw >{state}; until [ -e $FAKE/deleted ]; do sleep 0.05; done; fi"
    delete = cluster.folder.parent / "bin" / "qdel"
    delete.write_text(delete.read_text().replace("exec", "touch $FAKE/deleted; exec"))
    assert sge.run(parse(["JOB=1:2", "log/JOB", "bash", "-c", script])) == [2]
    assert "says: stuck: state Eqw" in Path("log/2").read_text()
    assert cluster.calls("qdel") == ["qdel 1"]


def test_jobs_are_found_whatever_the_environment_calls_the_user(cluster, monkeypatch):
    monkeypatch.setenv("LOGNAME", "somebody")
    assert sge.run(parse(["log/x", "true"])) == []
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert all(call.endswith(f" -u {user}") for call in cluster.calls("qstat"))


def test_the_queues_log_is_named_from_here_where_its_full_name_has_a_comma_or_a_colon(tmp_path, monkeypatch):
    work = tmp_path / "a,b: c"
    work.mkdir()
    monkeypatch.chdir(work)
    assert sge._log_flags(Path("q", "x 1.log").absolute()) == "-o 'q/x 1.log'"
    monkeypatch.chdir(tmp_path)
    assert sge._log_flags(Path("q/x.log").absolute()) == f"-o {tmp_path}/q/x.log"
