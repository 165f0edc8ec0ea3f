import errno
import json
import os
import socket
import subprocess
import sys

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
