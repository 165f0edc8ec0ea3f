"""One training per experiment directory."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from zspex_toolkit.errors import UserError


@contextlib.contextmanager
def lock(exp_dir: Path) -> Iterator[None]:
    """Hold ``exp_dir/.lock``; it names host and process.

    A lock left by a dead process of this host is taken over: the kernel dropped its record lock (which, unlike
    ``flock``, the data-loading children do not inherit). Of a process on another host nothing can be known.

    Raises:
        UserError: if a running training, or one of another host, holds it, or the disk is full.
    """
    path = exp_dir / ".lock"
    descriptor = _open(path)
    try:
        _write_holder(descriptor, path)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _write_holder(descriptor: int, path: Path) -> None:
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": time.strftime("%Y-%m-%dT%H:%M:%S")}
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)
    except OSError as error:
        raise UserError(f"{path}: cannot write ({error.strerror})") from error


def _open(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _claim(descriptor, path)
            # The former holder may have removed the file between our open and our claim: then it is not the lock.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _claim(descriptor: int, path: Path) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        running = False
    except BlockingIOError:
        running = True
    text = os.pread(descriptor, 4096, 0).decode(errors="replace")
    try:
        holder = json.loads(text)
        name = f"process {holder['pid']} on host {holder['host']}, since {holder['since']}"
        elsewhere = holder["host"] != socket.gethostname()
    except (ValueError, KeyError, TypeError):
        name, elsewhere = "another process", False
    if running or elsewhere:
        hint = "wait for it or stop it" if running else f"if it is gone, delete {path}"
        raise UserError(f"{path.parent}: in use by another training ({name}); {hint}")
