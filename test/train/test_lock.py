import errno
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.lock import lock


def holder(host, pid):
    return json.dumps({"host": host, "pid": pid, "since": "2026-01-01T00:00:00"}) + "\n"


def test_it_names_its_holder_and_is_gone_afterwards(tmp_path):
    with lock(tmp_path):
        content = json.loads((tmp_path / ".lock").read_text())
        assert (content["host"], content["pid"]) == (socket.gethostname(), os.getpid())
    assert not (tmp_path / ".lock").exists()


def test_it_is_released_when_the_training_fails(tmp_path):
    with pytest.raises(KeyError), lock(tmp_path):
        raise KeyError
    with lock(tmp_path):
        pass


HOLD = """
import sys
import time
from pathlib import Path
from zspex_toolkit.train.lock import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_running_holder_is_named_and_a_killed_one_taken_over(tmp_path):
    command = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        message = rf"in use by another training \(process {process.pid} on host {socket.gethostname()}, since .*wait"
        with pytest.raises(UserError, match=message), lock(tmp_path):
            pass
        process.kill()
    assert (tmp_path / ".lock").exists()
    with lock(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()


def test_of_a_holder_on_another_host_nothing_is_known(tmp_path):
    (tmp_path / ".lock").write_text(holder("far-away", 1))
    with pytest.raises(UserError, match=r"process 1 on host far-away.*if it is gone, delete .*\.lock"), lock(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == holder("far-away", 1)


def beating(host, silence_s, path):
    """A lock with signs of life, the last so many seconds ago."""
    path.write_text(json.dumps({"host": host, "pid": 1, "since": "2026-01-01T00:00:00", "beat_s": 30.0}))
    os.utime(path, (time.time() - silence_s,) * 2)


def test_a_holder_on_another_host_is_left_alone_until_it_has_been_silent_for_ten_minutes(tmp_path, monkeypatch):
    monkeypatch.setattr("zspex_toolkit.train.lock._SETTLE_S", 0.0)
    beating("far-away", 590, tmp_path / ".lock")
    message = r"far-away.*last sign of life 10 minutes ago\); taken over by itself after 10 minutes of silence"
    with pytest.raises(UserError, match=message), lock(tmp_path):
        pass
    beating("far-away", 610, tmp_path / ".lock")
    with lock(tmp_path) as hold:
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
        hold.check()
    assert list(tmp_path.iterdir()) == []


def test_the_age_of_a_lock_is_told_by_the_clock_of_its_disk(tmp_path, monkeypatch):
    beating("far-away", 5, tmp_path / ".lock")
    monkeypatch.setattr("time.time", lambda: 1e12)
    with pytest.raises(UserError, match="last sign of life 0 minutes ago"), lock(tmp_path):
        pass


def test_a_holder_gives_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr("zspex_toolkit.train.lock.BEAT_S", 0.01)
    with lock(tmp_path):
        os.utime(tmp_path / ".lock", (0, 0))
        deadline = time.monotonic() + 240
        while (tmp_path / ".lock").stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert time.time() - (tmp_path / ".lock").stat().st_mtime < 60


@pytest.mark.parametrize("replace", [True, False])
def test_a_holder_that_was_taken_over_notices_and_leaves_the_new_lock_alone(tmp_path, replace):
    path = tmp_path / ".lock"
    with lock(tmp_path) as hold:
        if replace:
            path.rename(tmp_path / "old")
        path.write_text(holder("far-away", 1))
        with pytest.raises(UserError, match=r"another training has taken over, since .* for 10 minutes"):
            hold.check()
    assert path.read_text() == holder("far-away", 1)


def test_of_two_that_take_over_at_once_one_gives_way(tmp_path, monkeypatch):
    path = tmp_path / ".lock"
    beating("far-away", 700, path)
    monkeypatch.setattr("zspex_toolkit.train.lock.time.sleep", lambda seconds: path.write_text(holder("third", 3)))
    with pytest.raises(UserError, match="another training has taken over"), lock(tmp_path):
        pass
    assert path.read_text() == holder("third", 3)


SLURM = {"SLURM_JOB_ID": "17", "SLURM_RESTART_COUNT": "1"}
NOT_OF_SLURM = ({}, {"slurm_job": "16", "restarts": 0}, {"slurm_job": "17", "restarts": 1})
SGE = {"JOB_ID": "17", "SGE_TASK_ID": "2", "RESTARTED": "1"}
NOT_OF_SGE = ({}, {"sge_job": "17.1", "restarts": 0}, {"slurm_job": "17", "restarts": 0})


@pytest.mark.parametrize(
    ("variables", "others", "earlier"),
    [
        (SLURM, NOT_OF_SLURM, {"slurm_job": "17", "restarts": 0}),
        (SGE, NOT_OF_SGE, {"sge_job": "17.2", "restarts": 0}),
        (SGE, NOT_OF_SGE, {"sge_job": "17.2", "restarts": 1}),  # Grid Engine does not count
        ({**SGE, "RESTARTED": "0"}, (*NOT_OF_SGE, {"sge_job": "17.2", "restarts": 0}), None),
    ],
)
def test_the_same_job_of_a_cluster_takes_over_at_once_when_it_was_started_again_elsewhere(
    tmp_path, monkeypatch, variables, others, earlier
):
    monkeypatch.setattr("zspex_toolkit.train.lock._SETTLE_S", 0.0)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / ".lock"

    def held(**job):
        beating("far-away", 5, path)
        path.write_text(json.dumps({**json.loads(path.read_text()), **job}))

    for other in others:
        held(**other)
        with pytest.raises(UserError, match="in use by another training"), lock(tmp_path):
            pass
    if earlier:
        held(**earlier)
        with lock(tmp_path):
            content = json.loads(path.read_text())
            job = {name: value for name, value in earlier.items() if name != "restarts"}
            assert content == {**content, "pid": os.getpid(), "restarts": 1, **job}


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_on_disks_without_record_locks_holder_and_beat_decide(tmp_path, monkeypatch, number):
    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.lockf", refuse)
    monkeypatch.setattr("zspex_toolkit.train.lock._SETTLE_S", 0.0)
    with lock(tmp_path), pytest.raises(UserError, match=rf"in use by another training \(process {os.getpid()} "):
        lock(tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == []
    beating(socket.gethostname(), 610, tmp_path / ".lock")
    with lock(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()


def test_of_two_that_begin_at_once_on_a_disk_without_record_locks_one_gives_way(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    path = tmp_path / ".lock"
    monkeypatch.setattr("fcntl.lockf", refuse)
    monkeypatch.setattr("zspex_toolkit.train.lock.time.sleep", lambda seconds: path.write_text(holder("third", 3)))
    with pytest.raises(UserError, match="another training has taken over"), lock(tmp_path):
        pass
    assert path.read_text() == holder("third", 3)


def test_other_faults_of_a_lock_are_not_hidden(tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("fcntl.lockf", fail)
    with pytest.raises(OSError, match="Input/output error"), lock(tmp_path):
        pass


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def disk_full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.pwrite", disk_full)
    with pytest.raises(UserError, match=r"\.lock: cannot write \(No space left on device\)"), lock(tmp_path):
        pass


def test_a_half_written_lock_of_a_dead_process_is_taken_over(tmp_path):
    (tmp_path / ".lock").write_text('{"host": "her')
    with lock(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
