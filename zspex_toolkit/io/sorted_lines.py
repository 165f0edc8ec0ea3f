"""Many long lines put into the order of their ids, on disk: of each only the id and its place stay in memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path


class SortedLines:
    """Lines that are added in any order and come out, as often as asked for, by the bytes of their ids.

    Args:
        folder: on whose disk there is room for all lines; it need not be there yet. The file has no name in it and
            vanishes with the process.
    """

    def __init__(self, folder: Path):
        there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
        self._stream = tempfile.TemporaryFile(dir=there)  # noqa: SIM115 - closed by __exit__
        self._ids: list[bytes] = []
        self._ends = array("q", [0])  # of the lines in the file; the first one begins at 0

    def __enter__(self) -> SortedLines:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()

    def add(self, name: str, line: str) -> None:
        """Add a line without its line break; ``name`` is its id."""
        content = f"{line}\n".encode()
        self._stream.write(content)
        self._ids.append(name.encode())
        self._ends.append(self._ends[-1] + len(content))

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[bytes]:
        """Each line with its line break."""
        self._stream.flush()
        for number in sorted(range(len(self)), key=self._ids.__getitem__):
            first, end = self._ends[number : number + 2]
            yield os.pread(self._stream.fileno(), end - first, first)
