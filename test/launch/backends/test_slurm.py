import time
from pathlib import Path

import pytest

from zspex_toolkit.launch import queue
from zspex_toolkit.launch.backends import slurm
from zspex_toolkit.launch.contract import parse


def test_an_array_lists_its_ranges_and_how_many_run_at_once():
    assert slurm._array_flags([2, 4, 5, 6, 9], 3) == "--array 2,4-6,9%3"
    assert slurm._array_flags([1, 2], None) == "--array 1-2"


def test_the_queues_log_may_have_a_percent_sign_in_its_name():
    assert slurm._log_flags(Path("/a/50%/x.log")).endswith("--output /a/50%%/x.log")


def test_the_job_is_read_from_either_form_of_answer():
    assert slurm._job_id("Submitted batch job 17\n") == "17"
    assert slurm._job_id("17;cluster\n") == "17"
    assert slurm._job_id("queued\n") is None


def test_a_task_is_active_done_failed_or_stuck():
    listed = (
        "1|COMPLETED|None\n2|NODE_FAIL|None\n3|PENDING|launch failed requeued held\n4|COMPLETING|None\nN/A|RUNNING|x\n"
    )
    assert slurm._read(listed) == {
        1: "done",
        2: "NODE_FAIL (None)",
        3: "stuck: PENDING (launch failed requeued held)",
        4: "active",
        0: "active",
    }


def test_what_squeue_has_forgotten_is_asked_of_sacct(cluster):
    cluster.set("forget", "yes")
    cluster.set("sacct", "1_1|COMPLETED|0:0\n1_2|CANCELLED by 0|0:15")
    assert slurm.run(parse(["JOB=1:2", "log/JOB", "true"])) == [2]
    assert "Slurm job 1 says: CANCELLED by 0 (0:15)" in Path("log/2").read_text()


def test_a_job_is_not_taken_for_part_of_the_job_that_submitted_it(cluster, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "77")
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "1")
    monkeypatch.setenv("SLURM_CONF", "/etc/ours")
    assert slurm.run(parse(["log/x", "echo", "$SLURM_ARRAY_JOB_ID:$SLURM_MEM_PER_NODE:$SLURM_CONF"])) == []
    assert "\n::/etc/ours\n" in Path("log/x").read_text()


@pytest.fixture
def stopped(cluster, monkeypatch):
    """A function that runs a job that is stopped once while Slurm is silent, and tells how long the job's script waits.

    Slurm answers again when the script waits for ``until`` seconds, or else when its log says that it stays away.
    """

    def sleep(seconds, sleep=time.sleep):
        if "stays away" in (Path("x").read_text() if Path("x").exists() else ""):
            (cluster.folder / "silent").unlink(missing_ok=True)
        sleep(seconds)

    monkeypatch.setattr(queue.time, "sleep", sleep)

    def run(until):
        program = cluster.folder.parent / "bin" / "sleep"
        program.write_text(f'#!/bin/bash\necho $1 >>{cluster.folder}/slept; [ $1 != {until} ] || rm "$FAKE/silent"\n')
        program.chmod(0o755)
        script = "echo x >>ran; test \\$(wc -l <ran) = 2 || { echo yes >$FAKE/silent; exit 75; }"
        failed = slurm.run(parse(["--requeue", "true", "x", "bash", "-c", script]))
        return failed, (cluster.folder / "slept").read_text().split()

    return run


def test_a_slurm_that_does_not_answer_is_asked_again_to_requeue(stopped):
    assert stopped(until=2) == ([], ["1", "2"])
    assert Path("ran").read_text() == "x\nx\n"


def test_a_job_that_cannot_be_requeued_says_in_its_log_that_it_stays_away(stopped):
    assert stopped(until=None) == ([1], ["1", "2", "4"])
    assert Path("ran").read_text() == "x\n"
    assert Path("x").read_text().count("Slurm could not be asked to requeue this job, which stays away; start") == 1
