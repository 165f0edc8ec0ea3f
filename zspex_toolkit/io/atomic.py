"""Files that are absent or complete: written under a temporary name in the same folder, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zspex_toolkit.io.temporary import temporary_path


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Temporary path beside ``path``, renamed to it when the block ends well and removed when it does not.

    What was at ``path`` before stays until the new file is whole on disk: a full disk or an exception loses nothing.
    The temporary name is hidden and keeps the suffix, by which audio writers know the format. What a process that was
    killed left under such a name is removed by the next that writes ``path``.

    Args:
        path: the file to write; its folder is made if missing.

    Raises:
        OSError: as the block or the renaming raised it (disk full, no permission); ``path`` is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_path(path, path.suffix) as temporary:
        yield temporary
        # The bytes must be on disk before the name is; when the name itself gets there does not matter.
        _flush_to_disk(temporary)
        os.replace(temporary, path)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically; NaN and infinity are refused, as no other reader takes them."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
