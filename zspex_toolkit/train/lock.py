"""One training per experiment directory."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import UserError

BEAT_S = 30.0  # seconds between a holder's signs of life
DEAD_AFTER_S = 600.0  # without one for so long, a holder on another host is dead
_NO_RECORD_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
_SETTLE_S = 2.0  # of two that take over one lock at once, on disks without locks between hosts, the later one wins


class Hold:
    """A lock that is held; its file's time is renewed every 30 s as a sign of life for other hosts."""

    def __init__(self, path: Path, descriptor: int, content: bytes):
        self._path, self._descriptor, self._content = path, descriptor, content
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Make sure that the lock is still held: this process may have been stopped for so long that it looked dead.

        Raises:
            UserError: if another training has taken over; nothing may be written any more.
        """
        if not self._is_ours():
            raise UserError(
                f"{self._path.parent}: another training has taken over, since this one gave no sign of life for "
                f"{DEAD_AFTER_S / 60:g} minutes (was it suspended, or the disk away?); nothing more is written"
            )

    def release(self) -> None:
        """Remove the file, unless another training has taken over."""
        self._released.set()
        self._thread.join()
        if self._is_ours():
            self._path.unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        # Through the descriptor at hand: to close another one of this file would drop the record lock.
        try:
            same = os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return False
        return same and os.pread(self._descriptor, 4096, 0) == self._content

    def _beat(self) -> None:
        while not self._released.wait(BEAT_S):
            with contextlib.suppress(OSError):  # a disk that is away for a moment
                if self._is_ours():
                    os.utime(self._descriptor)  # the time of the file server, if there is one


@contextlib.contextmanager
def lock(exp_dir: Path) -> Iterator[Hold]:
    """Hold ``exp_dir/.lock``; it names host and process.

    A lock left by a dead process of this host is taken over: the kernel dropped its record lock (which, unlike
    ``flock``, the data-loading children do not inherit). That of a process on another host is taken over once it has
    given no sign of life for ten minutes (so is any, where the disk has no record locks), or at once by the same job of
    Slurm or Grid Engine, started again: these say it is gone.

    Raises:
        UserError: if a running training, or one of another host, holds it, or the disk is full.
    """
    path = exp_dir / ".lock"
    descriptor, is_doubtful = _open(path)
    hold = None
    try:
        content = _write_holder(descriptor, path)
        hold = Hold(path, descriptor, content)
        if is_doubtful:
            time.sleep(_SETTLE_S)
            hold.check()
        yield hold
    finally:
        if hold:
            hold.release()
        else:
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _write_holder(descriptor: int, path: Path) -> bytes:
    since = time.strftime("%Y-%m-%dT%H:%M:%S")
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": since, "beat_s": BEAT_S, **_job()}
    content = json.dumps(holder).encode() + b"\n"
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)
    except OSError as error:
        raise UserError(f"{path}: cannot write ({error.strerror})") from error
    return content


def _open(path: Path) -> tuple[int, bool]:
    """The file, claimed, and whether it may still turn out to be another's."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            is_doubtful = _claim(descriptor, path)
            # The former holder may have removed the file between our open and our claim: then it is not the lock.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor, is_doubtful
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _claim(descriptor: int, path: Path) -> bool:
    """Whether the lock may still be another's in a moment; on disks without record locks it always may."""
    running, kernel_knows = False, True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        running = True
    except OSError as error:
        if error.errno not in _NO_RECORD_LOCKS:
            raise
        kernel_knows = False
    holder = _read_holder(descriptor)
    name = f"process {holder['pid']} on host {holder['host']}, since {holder['since']}" if holder else "another process"
    if running:
        raise UserError(f"{path.parent}: in use by another training ({name}); wait for it or stop it")
    if kernel_knows and (not holder or holder["host"] == socket.gethostname()):
        return False
    if not holder or _is_ended_job(holder):
        return True  # none that the kernel would tell of: another may begin at the same moment
    silence = _seconds_since(descriptor, path.parent)
    # A lock without beat_s is of a version of the toolkit that gave no signs of life.
    if "beat_s" not in holder or silence < DEAD_AFTER_S:
        when = "taken over by itself after 10 minutes of silence; " if "beat_s" in holder else ""
        raise UserError(
            f"{path.parent}: in use by another training ({name}; last sign of life {max(silence, 0) / 60:.0f} minutes "
            f"ago); {when}if it is gone, delete {path}"
        )
    return True


def _read_holder(descriptor: int) -> dict[str, Any] | None:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0).decode(errors="replace"))
        return holder if {"host", "pid", "since"} <= holder.keys() else None
    except (ValueError, AttributeError):
        return None


def _job() -> dict[str, Any]:
    """The job of Slurm or Grid Engine that this process is part of, and how often (there: whether) it began again."""
    if "SLURM_JOB_ID" in os.environ:
        return {"slurm_job": os.environ["SLURM_JOB_ID"], "restarts": int(os.environ.get("SLURM_RESTART_COUNT", "0"))}
    if {"JOB_ID", "SGE_TASK_ID"} <= os.environ.keys():
        restarts = int(os.environ.get("RESTARTED", "0"))
        return {"sge_job": f"{os.environ['JOB_ID']}.{os.environ['SGE_TASK_ID']}", "restarts": restarts}
    return {}


def _is_ended_job(holder: dict[str, Any]) -> bool:
    """Whether the holder is an earlier start of the job that this process is part of."""
    own = _job()
    if "sge_job" in own:  # a job that was started again has no earlier start that still runs
        return holder.get("sge_job") == own["sge_job"] and own["restarts"] > 0
    return bool(own) and holder.get("slurm_job") == own["slurm_job"] and holder["restarts"] < own["restarts"]


def _seconds_since(descriptor: int, folder: Path) -> float:
    """Age of the file by the clock of its own disk: those of two hosts may differ."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".lock.") as probe:
        probe.write(b"\n")
        probe.flush()
        return os.fstat(probe.fileno()).st_mtime - os.fstat(descriptor).st_mtime
