"""One compilation of a library for all processes that want it, and a note where it failed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from zspex_toolkit.io.atomic import atomic_path, write_text

TIMEOUT_S = 180.0  # for a compilation of half a minute
FAILED_FOR_S = 24 * 3600.0  # a failed compilation is tried again after so long
UNUSED_S = 30 * 24 * 3600.0  # after which a library is removed
_DIGEST_SIZE = hashlib.sha256().digest_size


class NoLibraryError(Exception):
    """Why there is no library, in a few words."""


def compile_once(command: list[str], path: Path, say: Callable[[str], None]) -> None:
    """Write ``path`` by ``command`` (the compiler and its arguments but the output), unless it is whole by now.

    Who compiles says so; other processes wait. A failure is noted in a file beside it (``.failed``),
    which holds for a day or until it is removed. What nobody has used for a month goes.

    Raises:
        NoLibraryError: if it fails, or failed within the last day, or another process takes too long.
        OSError: if the folder cannot be written.
    """
    note = path.with_suffix(".failed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_suffix(".lock")):
        if is_whole(path):
            return
        if note.exists() and time.time() - note.stat().st_mtime < FAILED_FOR_S:
            raise NoLibraryError(f"{note.read_text(encoding='utf-8').strip()} (delete {note} to try again)")
        _remove_unused(path.parent)
        say(f"compiling for this processor with {command[0]}, once")
        try:
            _compile(command, path)
        except NoLibraryError as error:
            write_text(note, f"{error}\n")
            raise
        note.unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """True if the file ends in the digest of what comes before: a damaged library would end the process, not fail."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return content[-_DIGEST_SIZE:] == hashlib.sha256(content[:-_DIGEST_SIZE]).digest()


def run_compiler(command: list[str], timeout_s: float) -> subprocess.CompletedProcess:
    """Run a compiler; if it takes too long, end it with the processes that it started.

    Raises:
        NoLibraryError: if it takes too long.
    """
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, errors="replace", start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise NoLibraryError(f"{command[0]} did not end within {timeout_s:g} seconds") from error
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _compile(command: list[str], path: Path) -> None:
    with atomic_path(path) as temporary:
        done = run_compiler([*command, "-o", str(temporary)], TIMEOUT_S)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
            raise NoLibraryError(f"{command[0]} cannot compile: {(lines or ['no message'])[0]}")
        content = temporary.read_bytes()
        temporary.write_bytes(content + hashlib.sha256(content).digest())


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock; without one on disks that have none, where at worst several processes compile the same."""
    with path.open("w") as file:
        _wait_for(file)
        try:
            yield
        finally:  # who waits for this file, or makes a new one, finds the library or the note
            path.unlink(missing_ok=True)


def _wait_for(file: IO) -> None:
    deadline = time.monotonic() + TIMEOUT_S + 20
    while True:
        try:
            return fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise NoLibraryError(f"another process has held {file.name} for too long") from None
            time.sleep(0.2)
        except OSError:
            return None


def _remove_unused(folder: Path) -> None:
    for path in [*folder.glob("native-*"), *folder.glob(".native-*")]:
        with contextlib.suppress(OSError):  # another process may remove the same
            if time.time() - path.stat().st_mtime > UNUSED_S:
                path.unlink()
