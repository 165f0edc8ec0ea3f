"""Free space, and whether the file system keeps its promises."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from zspex_toolkit.doctor.finding import FAULT, OK, WARNING, Asked, Finding

__all__ = ["check_disk"]

_LITTLE = 5e9  # bytes
_SKEW_S = 60


def check_disk(asked: Asked) -> Iterator[Finding]:
    """Free space here and in the folder for temporary files; renaming, locks and clock of the file system here."""
    for name, folder in (("here", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free
        what = f"{name}: {free / 1e9:.1f} GB free in {folder}"
        if free < _LITTLE:
            yield Finding(WARNING, what, "a recipe needs more for most corpora: make room or use --work_dir")
        else:
            yield Finding(OK, what)
    if not os.access(Path.cwd(), os.W_OK):
        yield Finding(WARNING, f"{Path.cwd()} cannot be written to", "recipes take --work_dir")
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".doctor-") as folder:
        yield from _promises(Path(folder))


def _promises(folder: Path) -> Iterator[Finding]:
    path, target = folder / "new", folder / "old"
    target.write_text("before")
    with path.open("w") as stream:
        stream.write("after")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            yield Finding(FAULT, f"this file system has no locks ({error.strerror})", "use --work_dir on another one")
            return
    os.replace(path, target)
    if target.read_text() != "after":
        yield Finding(FAULT, "a renamed file is not seen at once", "use --work_dir on another file system")
        return
    skew = target.stat().st_mtime - time.time()
    if abs(skew) > _SKEW_S:
        yield Finding(WARNING, f"the file system's clock is {skew:.0f} s away from this machine's", "set both clocks")
        return
    yield Finding(OK, "locks, renaming and clock of the file system")
