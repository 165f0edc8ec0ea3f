"""Kaldi archives (ark) and their scripts (scp) of matrices and vectors; the format is kaldiio's, Kaldi reads it."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from copy import copy
from pathlib import Path

import kaldiio
import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.blanks import is_id
from zspex_toolkit.io.compact_table import CompactTable
from zspex_toolkit.io.table import read_table, write_table

_RANGE = "a range as Kaldi's, [first:last] of rows, with [rows,columns] for both, : for all"
_ROWS_TOO_MANY = 3  # two for what a frame sees beyond its shift, one for times rounded to 0.01 s
_AUTOMATIC = 1  # Kaldi's compression method: 8 bits for features, 16 for very short matrices


class ArchiveWriter:
    """Write arrays to ``ark_path``, and where each lies to ``scp_path``; both files appear complete or not at all.

    Args:
        ark_path: archive to write; the script names it as given here, so relative paths stay relative.
        scp_path: script to write, sorted by key; none if None.
        compress: store matrices in 8 bits, as Kaldi does for features; otherwise float32 and int32.

    Raises:
        DataDirError: for a duplicate key, a key with blanks or an array that is no vector or matrix of numbers.
    """

    def __init__(self, ark_path: str | os.PathLike, scp_path: str | os.PathLike | None = None, compress: bool = False):
        self.ark_path = Path(ark_path)
        self.scp_path = None if scp_path is None else Path(scp_path)
        self.compress = compress
        self._entries: dict[str, str] = {}

    def __enter__(self) -> ArchiveWriter:
        self._stack = ExitStack()
        self._stack.__enter__()
        if self.scp_path is not None:
            self._scp_temporary = self._stack.enter_context(atomic_path(self.scp_path))
        temporary = self._stack.enter_context(atomic_path(self.ark_path))
        self._stream = self._stack.enter_context(temporary.open("wb"))
        return self

    def __setitem__(self, key: str, array: np.ndarray) -> None:
        array = np.asarray(array)
        if key in self._entries:
            raise DataDirError(f"{self.ark_path}: key '{key}' is written twice")
        if not is_id(key):
            raise DataDirError(f"{self.ark_path}: expected a key without blanks, got {key!r}")
        if array.ndim not in (1, 2) or array.dtype.kind not in "fiub":
            raise DataDirError(
                f"{self.ark_path}: '{key}': expected a vector or matrix, got {array.dtype} of shape {array.shape}"
            )
        if array.dtype != np.int32 or array.ndim == 2:
            array = array.astype(np.float32)
        self._entries[key] = f"{self.ark_path}:{self._stream.tell() + len(key.encode()) + 1}"
        method = _AUTOMATIC if self.compress and array.ndim == 2 and array.size else None
        kaldiio.save_ark(self._stream, {key: array}, compression_method=method)

    def __exit__(self, *exception: object) -> None:
        if exception[0] is None and self.scp_path is not None:
            try:
                write_table(self._scp_temporary, self._entries)
                self._stream.flush()
                # Both are whole on disk. Without the old script first, a kill between the two renames leaves no script
                # rather than one whose offsets point into another archive.
                self.scp_path.unlink(missing_ok=True)
            except BaseException:
                self._stack.__exit__(*sys.exc_info())
                raise
        self._stack.__exit__(*exception)


def read_array(spec: str) -> np.ndarray:
    """One matrix (L, F) or vector (F,) from ``file.ark:offset``, with Kaldi's inclusive range if given.

    A range is ``[0:99]``, ``[0:99,0:12]`` or ``[:,0:12]``. Rows may end up to three past the last, as Kaldi allows for
    times that were rounded; they are cut then, with a warning.

    Raises:
        DataDirError: for a missing file, an offset at which no array lies, or a range that is not in the array.
    """
    try:
        path, offset, ranges = _parse(spec)
    except ValueError as error:
        raise DataDirError(f"{spec}: no array here: {error}") from error
    try:
        with open(path, "rb") as stream:
            stream.seek(offset)
            if stream.read(3) == b"PKL":
                raise DataDirError(f"{spec}: holds a pickle, which can run code; refused")
            stream.seek(offset)
            array = kaldiio.matio.read_kaldi(stream)
    except OSError as error:
        raise DataDirError(f"{spec}: {(error.strerror or str(error)).lower()}") from error
    except DataDirError:
        raise
    except Exception as error:  # kaldiio raises whatever its parsing met: AssertionError, struct.error, IndexError...
        raise DataDirError(f"{spec}: no array here: {str(error) or type(error).__name__}") from error
    if not isinstance(array, np.ndarray):
        raise DataDirError(f"{spec}: expected a matrix or vector, found audio")
    return np.array(array[_slices(spec, ranges, array.shape)])  # a copy: kaldiio's arrays are read-only views


class ArrayTable(Mapping):
    """A script file as a mapping from key to array, each read when asked for."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.specs: Mapping[str, str] = read_table(path)

    def compact(self) -> ArrayTable:
        """The same in memory that processes share for good, in the order of its keys."""
        table = copy(self)
        table.specs = CompactTable.of_texts(self.specs)
        return table

    def __getitem__(self, key: str) -> np.ndarray:
        return read_array(self.specs[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)


def read_scp(path: str | os.PathLike) -> ArrayTable:
    """The arrays of a script file, read one by one when asked for: ``read_scp("feats.scp")["utt1"]``."""
    return ArrayTable(path)


Range = tuple[int, int]  # first and last


def _parse(spec: str) -> tuple[str, int, list[Range | None]]:
    """``a.ark:12[0:99]`` -> path, offset, first and last of each axis, None for all of it."""
    found = re.fullmatch(r"(.*?)(?::([0-9]{1,18}))?(?:\[([^\[\]]*)\])?", spec.strip())
    if found is None or spec.strip().endswith("["):
        raise ValueError(f"expected {_RANGE}")
    path, offset, text = found.groups()
    ranges: list[Range | None] = []
    for part in [] if text is None else text.split(","):
        pair = re.fullmatch(r"([0-9]{1,18}):([0-9]{1,18})", part)
        if pair is None and part != ":":
            raise ValueError(f"expected {_RANGE}, got [{text}]")
        ranges.append((int(pair[1]), int(pair[2])) if pair else None)
    return path, int(offset or 0), ranges


def _slices(spec: str, ranges: list[Range | None], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Kaldi's ``ExtractObjectRange``: reversed and outer ranges are refused, up to three rows past the end are cut."""
    if len(ranges) > len(shape):
        raise DataDirError(f"{spec}: expected {_RANGE}, got {len(ranges)} ranges for {len(shape)} axes")
    slices = []
    for axis, (one, size) in enumerate(zip(ranges, shape, strict=False)):
        first, last = one or (0, size - 1)
        allowed = size - 1 if axis else size - 1 + _ROWS_TOO_MANY
        if (one and not first <= last <= allowed) or (one and first >= size):
            what = "columns" if axis else "rows"
            raise DataDirError(f"{spec}: expected a range of the {size} {what} 0 to {size - 1}, got {first}:{last}")
        if last >= size:
            warnings.warn(f"{spec}: the range ends {last - size + 1} rows past the last one, cut", stacklevel=3)
        slices.append(slice(first, last + 1))
    return tuple(slices)
