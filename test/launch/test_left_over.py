import json
import os
import socket
import subprocess

import pytest

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch import left_over
from zspex_toolkit.launch.contract import parse


@pytest.fixture
def note(tmp_path):
    path = tmp_path / "x.job"
    left_over.write(path, "Slurm", "7", "scancel 7")
    return path


def changed(note, **values):
    note.write_text(json.dumps({**json.loads(note.read_text()), **values}))
    return left_over.read(note)


def test_the_note_lies_beside_the_script(tmp_path):
    assert str(left_over.note_of(parse(["JOB=1:2", "exp/log/x.JOB.log", "true"]))) == "exp/q/x.job"


def test_what_is_written_is_read_and_no_other_file_is_left(note):
    left = left_over.read(note)
    assert (left.name, left.cancel, left.host, left.pid) == (
        "Slurm job 7",
        "scancel 7",
        socket.gethostname(),
        os.getpid(),
    )
    assert os.listdir(note.parent) == ["x.job"]
    assert left_over.read(note.with_name("y.job")) is None


def test_a_job_is_watched_as_long_as_the_process_that_submitted_it_lives(note):
    with subprocess.Popen(["sleep", "600"]) as process:
        left = changed(note, pid=process.pid, since=left_over._since(process.pid))
        assert left_over.is_watched(note, left)
        assert not left_over.is_watched(note, changed(note, since="12"))  # the number of one that is gone
        process.kill()
    assert not left_over.is_watched(note, left)


def test_what_this_process_itself_left_is_not_watched(note):
    assert not left_over.is_watched(note, left_over.read(note))


def test_on_another_host_a_job_is_watched_if_the_note_shows_life(note, monkeypatch):
    left = changed(note, host="elsewhere")
    monkeypatch.setattr(left_over, "BEAT_S", 1.2)
    assert not left_over.is_watched(note, left)
    monkeypatch.setattr(left_over.time, "sleep", lambda _: left_over.show_life(note))
    assert left_over.is_watched(note, left)


def test_a_job_of_another_queue_is_told_with_what_to_do(note):
    left_over.refuse(note, "Slurm")
    for queue in ("Grid Engine", None):
        with pytest.raises(JobError, match=r"Slurm job 7 of an earlier .* \(scancel 7\), then remove .*x\.job"):
            left_over.refuse(note, queue)


@pytest.mark.parametrize("text", ["", '{"queue": "Slurm"}', "[]"])
def test_a_file_that_is_no_such_note_is_told(note, text):
    note.write_text(text)
    with pytest.raises(JobError, match=r"cannot read .*x\.job, which names a job of an earlier start: .*; remove it"):
        left_over.read(note)
