"""A list of arrays that lies on disk, for signals too long for memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import AudioError


class ScratchArrays(Sequence):
    """float32 arrays in one nameless file, which is gone with the process, however that ends.

    Args:
        folder: where there is room for them; made if missing.

    Raises:
        AudioError: if nothing can be written there, or when an array is appended to a full disk.
    """

    def __init__(self, folder: str | os.PathLike):
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, closed by close()
        except OSError as error:
            raise AudioError(f"{folder}: cannot be written to ({(error.strerror or 'unknown').lower()})") from error
        self._folder = folder
        self._places: list[tuple[int, tuple[int, ...]]] = []
        self._end = 0

    def append(self, array: np.ndarray) -> None:
        """Put a copy of ``array`` behind the others."""
        content = np.ascontiguousarray(array, np.float32).tobytes()
        try:
            self._file.seek(self._end)
            self._file.write(content)
            self._file.flush()
        except OSError as error:
            raise AudioError(f"{self._folder}: no room for intermediate results ({error.strerror})") from error
        self._places.append((self._end, array.shape))
        self._end += len(content)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> np.ndarray:
        start, shape = self._places[index]
        self._file.seek(start)
        return np.frombuffer(self._file.read(4 * int(np.prod(shape))), np.float32).reshape(shape)

    def close(self) -> None:
        """Give the room back."""
        self._file.close()
