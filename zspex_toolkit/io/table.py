"""Kaldi tables: ``<key> <value>`` lines, sorted by bytes, keys unique, a newline at the end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.blanks import BLANKS, encoding_fault, is_id, may_be_odd, odd_character


def read_table(path: str | os.PathLike, *, allow_empty: bool = False) -> dict[str, str]:
    """The table at ``path``, in the file's order.

    Args:
        path: the file.
        allow_empty: take a key without value too, as an utterance without words in ``text``.

    Returns:
        key -> rest of the line, blanks around it removed.

    Raises:
        DataDirError: with ``file:line``, for a missing file, an empty line, a key without value, a duplicate key,
            a carriage return, bytes that are not UTF-8 or a missing newline at the end.
    """
    table: dict[str, str] = {}
    lines, name = _lines(Path(path)), Path(path).name
    for number, line in enumerate(lines, start=1):
        key, _, value = line.partition(" ")
        if not key or not value or "\t" in key or line[-1] == "\r":
            fields = re.split(f"[{BLANKS}]+", line.strip(BLANKS), maxsplit=1)
            if len(fields) + allow_empty < 2 or not fields[0] or line[0] in BLANKS or line[-1] == "\r":
                raise DataDirError(f"{path}:{number}: {_complaint(line)}")
            key, value = fields if len(fields) == 2 else (fields[0], "")
        if key in table:
            first = list(table).index(key) + 1
            raise DataDirError(f"{path}:{number}: duplicate key '{key}', first seen on line {first}")
        table[key] = value.strip(BLANKS)
    if may_be_odd("\n".join(lines).encode()):
        for number, line in enumerate(lines, start=1):
            if complaint := odd_character(name, line):
                raise DataDirError(f"{path}:{number}: {complaint}")
    return table


def write_table(path: str | os.PathLike, table: Mapping[str, object], *, allow_empty: bool = False) -> None:
    """Write ``table`` sorted by the bytes of its keys, atomically; ``allow_empty`` as in :func:`read_table`.

    Raises:
        DataDirError: for a key with blanks in it, an empty value or a line break in a value; nothing is written.
    """
    lines = [_line(path, key, table[key], allow_empty) for key in sorted_keys(table)]
    with atomic_path(path) as temporary:
        temporary.write_bytes("".join(lines).encode("utf-8"))


def sorted_keys(keys: Iterable[str]) -> list[str]:
    """Keys in the order of ``LC_ALL=C sort``: by their UTF-8 bytes."""
    # Code points and UTF-8 bytes have the same order, so str's own comparison serves.
    return sorted(keys)


def invert(utt2spk: Mapping[str, str]) -> dict[str, list[str]]:
    """Kaldi's ``utt2spk_to_spk2utt``: speaker -> its utterances, both sorted by bytes."""
    spk2utt: dict[str, list[str]] = {}
    for utt in sorted_keys(utt2spk):
        spk2utt.setdefault(utt2spk[utt], []).append(utt)
    return {spk: spk2utt[spk] for spk in sorted_keys(spk2utt)}


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataDirError(f"{path}: no such file") from error
    if fault := encoding_fault(data):
        raise DataDirError(f"{path}:{fault[0]}: {fault[1]}")
    lines = data.decode("utf-8").split("\n")
    if lines.pop():
        raise DataDirError(f"{path}:{len(lines) + 1}: expected a newline at the end of the last line")
    return lines


def _complaint(line: str) -> str:
    if not line.strip():
        return "expected '<key> <value>', got an empty line"
    if line.endswith("\r"):
        return "expected a Unix line end, got a carriage return; convert the file with dos2unix"
    return f"expected '<key> <value>', got {line!r}"


def _line(path: str | os.PathLike, key: str, value: object, allow_empty: bool) -> str:
    text = " ".join(value) if isinstance(value, (list, tuple)) else str(value)
    if not is_id(key):
        raise DataDirError(f"{path}: expected a key without blanks, got {key!r}")
    text = text.strip(BLANKS)
    if not (text or allow_empty) or "\n" in text or "\r" in text:
        raise DataDirError(f"{path}: expected one line of value for '{key}', got {text!r}")
    return f"{key} {text}\n" if text else f"{key}\n"
