"""Hidden names for what is half-written. They tell the machine and the process that writes, so that what a killed one
left is known and removed when the same file or directory is written again."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# ".<stem>.<12 hexadecimal digits>" and the suffix; the digits hold 18 bits of machine, 22 of process, 8 of number.
_TEMPORARY = re.compile(r"\.(.+)\.([0-9a-f]{12})(\.[^.]+)?")
_MACHINE_SHIFT, _PROCESS_SHIFT = 30, 8
_DEAD_AFTER_S = 86400.0  # unchanged for so long, what another machine writes is left over

_numbers = itertools.count()
_in_use: set[str] = set()  # names that this process writes under


@contextmanager
def temporary_path(path: Path, suffix: str = "") -> Iterator[Path]:
    """A hidden name beside ``path``, with the suffix that ``path`` has in common with it; nothing is there yet.

    What dead processes left of the same ``path`` is removed first. When the block fails, what it wrote is.
    """
    remove_leftovers(path)
    writer = _machine() << _MACHINE_SHIFT | os.getpid() << _PROCESS_SHIFT | next(_numbers) % (1 << _PROCESS_SHIFT)
    temporary = path.with_name(f".{path.name.removesuffix(suffix)}.{writer:012x}{suffix}")
    _in_use.add(temporary.name)
    try:
        yield temporary
    except BaseException:
        _remove(temporary)
        raise
    finally:
        _in_use.discard(temporary.name)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """A hidden name for a folder beside ``path``; what is still there when the block ends is removed."""
    with temporary_path(path) as temporary:
        yield temporary
        _remove(temporary)


def remove_leftovers(path: Path) -> None:
    """Remove what dead processes left half-written of ``path``; what a living one writes, here or elsewhere, stays.

    A process of this machine is asked for by its number; that of another counts as dead after a day without a change.
    A folder is looked through once: what is left there while this process runs, the next one will find.
    """
    folder = path.parent.absolute()
    for name, writer in _temporaries_in(folder).get(path.name, ()):
        if _is_left_over(folder / name, writer):
            _remove(folder / name)


def remove_temporaries(folder: str | os.PathLike) -> None:
    """Remove what processes that were killed left half-written in a folder; only where no other process writes."""
    for path in Path(folder).glob(".*"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


@functools.cache
def _temporaries_in(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Name and writer of what is half-written, by what it is to be. Once a folder: it may hold a million files."""
    found: dict[str, list[tuple[str, int]]] = {}
    with contextlib.suppress(OSError):  # such as a folder that is not there yet
        for name in filter(_TEMPORARY.fullmatch, os.listdir(folder)):
            stem, writer, suffix = _TEMPORARY.fullmatch(name).groups()
            found.setdefault(stem + (suffix or ""), []).append((name, int(writer, 16)))
    return found


def _is_left_over(path: Path, writer: int) -> bool:
    process = writer % (1 << _MACHINE_SHIFT) >> _PROCESS_SHIFT
    if writer >> _MACHINE_SHIFT != _machine():
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime > _DEAD_AFTER_S
        return False
    if process == os.getpid():
        return path.name not in _in_use  # of an earlier process that had the same number
    return not _is_running(process)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # no Linux, or it ended just now
        return True
    return state != "Z"  # killed, and its parent has not asked yet how it ended


@functools.cache
def _machine() -> int:
    """18 bits of what tells this machine since its start from all others, and its containers from each other."""
    known = [socket.gethostname()]
    with contextlib.suppress(OSError):
        known += [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/pid")]
    return int.from_bytes(hashlib.sha256("\n".join(known).encode()).digest()[:3], "big") >> 6


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
