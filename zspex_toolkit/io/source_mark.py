"""Size and time of the files that a source of audio is read from: whether it is what it was, without reading it."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterable
from functools import lru_cache

_PLACE = re.compile(r"(.+?)(?::[0-9]+)(?::\w+)?")


def source_mark(source: str | os.PathLike) -> str:
    """``<bytes>:<time of the last change in ns>`` of the file, or of the archive that it lies in.

    Of a command each word that names a file counts. Empty where there is no file; reading it will tell.
    """
    text = os.fspath(source).strip()
    if text.endswith("|"):
        return " ".join(mark for word in _words(text[:-1]) if (mark := _stat(word)))
    place = _PLACE.fullmatch(text)
    return _stat(text) or (_stat(place[1]) if place else "")


def digest_of_sources(sources: Iterable[str | os.PathLike]) -> str:
    """One mark of many sources and their names, in their order; each file is asked for once if they follow."""
    digest = hashlib.sha256()
    mark = lru_cache(maxsize=1 << 12)(source_mark)
    for source in sources:
        digest.update(f"{os.fspath(source)}\0{mark(source)}\n".encode())
    return digest.hexdigest()


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # quotes that the shell will complain about
        return command.split()


def _stat(path: str) -> str:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    if not stat.S_ISREG(found.st_mode):  # a word of a command may be the name of a folder or a device by chance
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"
