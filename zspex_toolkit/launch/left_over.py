"""The note ``exp/q/x.job`` of a job in a queue: by it a later start finds what one that was killed could not cancel."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch.contract import Jobs
from zspex_toolkit.launch.job_script import queue_folder_and_name

BEAT_S = 40.0  # a command that watches the job on another host shows a sign of life within this time


@dataclass(frozen=True)
class LeftOver:
    """A job in a queue, and the command that submitted it and watches it."""

    queue: str  # "Slurm"
    job_id: str
    cancel: str  # how a person cancels it
    host: str
    pid: int
    since: str  # when the process began, as this host counts: its number may be another's now

    @property
    def name(self) -> str:
        return f"{self.queue} job {self.job_id}"


def note_of(jobs: Jobs) -> Path:
    """Where the note of these jobs lies, beside their script."""
    folder, name = queue_folder_and_name(jobs)
    return folder / f"{name}.job"


def write(note: Path, queue: str, job_id: str, cancel: str) -> None:
    """Note the job that this process has submitted.

    Raises:
        JobError: if the file cannot be written.
    """
    left = LeftOver(queue, job_id, cancel, socket.gethostname(), os.getpid(), _since(os.getpid()))
    temporary = note.with_name(f".{note.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(asdict(left)) + "\n", encoding="utf-8")
        temporary.replace(note)
    except OSError as fault:
        raise JobError(f"cannot write {note}: {fault.strerror}") from fault


def read(note: Path) -> LeftOver | None:
    """What is noted; None if nothing is.

    Raises:
        JobError: if the file is not such a note.
    """
    try:
        return LeftOver(**json.loads(note.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as fault:
        raise JobError(f"cannot read {note}, which names a job of an earlier start: {fault}; remove it") from fault


def show_life(note: Path) -> None:
    """Tell other hosts that the job is watched."""
    with suppress(OSError):
        os.utime(note)  # the time of the file server, if there is one


def is_watched(note: Path, left: LeftOver) -> bool:
    """Whether the command that submitted the job is alive; on another host that takes up to 40 s to tell."""
    if left.host == socket.gethostname():
        return left.pid != os.getpid() and left.since == _since(left.pid)
    before, begin = _life(note), time.monotonic()
    while time.monotonic() - begin < BEAT_S:
        if _life(note) != before:
            return True
        time.sleep(0.5)
    return False


def refuse(note: Path, queue: str | None = None) -> None:
    """Make sure that no job of another queue than ``queue`` is noted.

    Raises:
        JobError: if one is.
    """
    left = read(note)
    if left is not None and left.queue != queue:
        raise JobError(
            f"{left.name} of an earlier start may write the same files: see that it has ended ({left.cancel}), "
            f"then remove {note}"
        )


def _life(note: Path) -> int:
    try:
        os.listdir(note.parent)  # makes a network file system look again
        return note.stat().st_mtime_ns
    except OSError:
        return 0


def _since(pid: int) -> str:
    """When the process began, in ticks since the start of this host; empty if there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[19] if fields[0] not in "ZX" else ""
