"""Faults, each with file and line, bounded in number per kind; and a scan of a table's bytes for those of its form."""

from __future__ import annotations

import gc
import operator
import os
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from zspex_toolkit.io.blanks import encoding_fault, may_be_odd, odd_character, without_mark
from zspex_toolkit.io.known_tables import Rule

SHOWN_PER_KIND = 10
_BLOCK_BYTES = 1 << 22
_VALUE = operator.itemgetter(1)


@dataclass(frozen=True)
class Fault:
    """One thing wrong; ``str`` gives ``file:line: message``, or ``file: message`` where no one line is at fault."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


@dataclass
class Findings:
    """Collects faults and warnings; of one kind in one file the first ten are kept and the rest counted."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    num_utterances: int = 0
    num_speakers: int = 0
    _counts: Counter = field(default_factory=Counter)

    def fault(self, path: str | os.PathLike, line: int | None, message: str, *, kind: str = "") -> None:
        """Add a fault; ``kind`` names what it has in common with others, as the count of them is worded."""
        self._add(self.faults, path, line, message, kind)

    def warn(self, path: str | os.PathLike, line: int | None, message: str, *, kind: str = "") -> None:
        """Add a warning: worth a look, but the directory is usable."""
        self._add(self.warnings, path, line, message, kind)

    def add_counts(self) -> None:
        """Close the collection: for each kind that was cut short, a last entry says how many more there are."""
        for (name, path, kind), count in self._counts.items():
            if count > SHOWN_PER_KIND:
                entries = self.faults if name == "faults" else self.warnings
                entries.append(Fault(path, None, f"{count - SHOWN_PER_KIND} more of the kind: {kind}"))
        self._counts.clear()

    def _add(self, entries: list[Fault], path: str | os.PathLike, line: int | None, message: str, kind: str) -> None:
        where = ("faults" if entries is self.faults else "warnings", os.fspath(path), kind or message)
        self._counts[where] += 1
        if self._counts[where] <= SHOWN_PER_KIND:
            entries.append(Fault(os.fspath(path), line, message))


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Leave reference counting alone at work: millions of short-lived rows hold no cycle, yet double the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def scan_table(
    path: Path, findings: Findings, rule: Rule, *, expected: list[bytes] | None = None, values: list | None = None
) -> list[bytes]:
    """Check line ends, fields, values, order and uniqueness of the table at ``path``.

    A block of lines is first checked as a whole; only a block with a fault in it is gone through line by line.

    Args:
        path: the table.
        findings: faults are added to it.
        rule: what is wrong with a value, or None.
        expected: keys that are known to be sorted; equal ones need no check of their own.
        values: if given, the values are appended to it (equal ones are one object).

    Returns:
        The key of each line, ``b""`` where a line has none, so that line = index + 1.
    """
    keys: list[bytes] = []
    one_object: dict[bytes, bytes] = {}
    for block in _blocks(path, findings):
        lines = block.removesuffix(b"\n").split(b"\n")
        rows = [line.split(None, 1) for line in lines]
        block_keys = [row[0] if row else b"" for row in rows]
        key_first = all(map(bytes.startswith, lines, block_keys))
        if not (key_first and _whole_block_is_fine(block, rows, rule)):
            _check_lines(path, findings, rule, block, first_line=len(keys) + 1)
        keys += block_keys
        if values is not None:
            found = [row[1].rstrip() if len(row) > 1 else b"" for row in rows]
            values += map(one_object.setdefault, found, found)
    if not keys:
        findings.fault(path, None, "empty file")
    if keys != expected and not all(map(operator.lt, keys, islice(keys, 1, None))):
        _check_order(path, findings, keys)
    return keys


def compare_keys(
    path: Path,
    findings: Findings,
    keys: list[bytes],
    expected: list[bytes],
    other: str,
    *,
    optional: Container[bytes] = (),
    also_known: Iterable[bytes] = (),
) -> None:
    """A fault for each key that only one of two tables has; ``other`` names the one with the ``expected`` keys.

    Keys of ``optional`` may be missing, and those of ``also_known`` may be there.
    """
    if keys == expected:
        return
    known, present = {*expected, *also_known}, set(keys)
    for number, key in enumerate(keys, start=1):
        if key and key not in known:
            findings.fault(path, number, f"'{_text(key)}' is not in {other}", kind=f"key that is not in {other}")
    for number, key in enumerate(expected, start=1):
        if key and key not in present and key not in optional:
            message = f"no line for '{_text(key)}' ({other}:{number})"
            findings.fault(path, None, message, kind=f"no line for a key of {other}")


def first_odd_separator(path: Path) -> int | None:
    """The first line that does not separate its fields by one blank, where other lines do (a mixture of tabs, say)."""
    separators: dict[bytes, int] = {}
    num_lines = 0
    for block in _blocks(path):
        if b"\t" in block or b"  " in block:
            for number, line in enumerate(block.splitlines(), start=num_lines + 1):
                if found := re.match(rb"\S+(\s+)\S", line):
                    separators.setdefault(found[1], number)
        else:
            separators.setdefault(b" ", num_lines + 1)
        num_lines += block.count(b"\n")
    odd = [number for separator, number in separators.items() if separator != b" "]
    return min(odd) if len(separators) > 1 else None


def _blocks(path: Path, findings: Findings | None = None) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time; a last line without newline gets none, so the block's end tells.

    A byte order mark is a fault, and taken away, so that it makes no other.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        if head != without_mark(head)[0]:
            data = stream.read()  # of UTF-16: such files are small
            fault = encoding_fault(data)
            if findings is not None and fault:
                findings.fault(path, *fault)
            yield without_mark(data)[0]
            return
        while block := stream.read(_BLOCK_BYTES):
            yield block + stream.readline()


def _whole_block_is_fine(block: bytes, rows: list[list[bytes]], rule: Rule) -> bool:
    if block[-1:] != b"\n" or b"\r" in block or not _is_utf8(block) or may_be_odd(block) or set(map(len, rows)) != {2}:
        return False
    return not any(map(rule, map(_VALUE, rows)))


def _check_lines(path: Path, findings: Findings, rule: Rule, block: bytes, first_line: int) -> None:
    lines = block.split(b"\n")
    unended = lines.pop()
    for number, line in enumerate([*lines, unended] if unended else lines, start=first_line):
        for kind, complaint in _complaints(path.name, line, rule):
            findings.fault(path, number, complaint, kind=kind)
    if unended:
        findings.fault(path, first_line + len(lines), "expected a newline at the end of the last line")


def _complaints(name: str, line: bytes, rule: Rule) -> Iterator[tuple[str, str]]:
    """Kind and wording of each fault of one line."""
    fields = line.split(None, 1)
    if not fields:
        yield "empty line", "expected '<key> <value>', got an empty line"
        return
    if line[:1].isspace():
        yield "blank before the key", f"expected the key at the start of the line, got {_text(line)!r}"
    if b"\r" in line:
        yield "carriage return", "expected a Unix line end, got a carriage return; convert the file with dos2unix"
    elif not _is_utf8(line):
        yield "not UTF-8", f"expected UTF-8 text, got '{_text(line)}'"
    elif len(fields) == 2 and (complaint := rule(fields[1])):
        yield f"malformed {name}", complaint
    elif complaint := odd_character(name, line.decode("utf-8")):
        yield "odd character", complaint
    if len(fields) == 1 and not name.startswith("text"):  # an utterance may have no words
        yield "no value", f"expected '<key> <value>', got '{_text(line)}'"


def _check_order(path: Path, findings: Findings, keys: list[bytes]) -> None:
    first_line: dict[bytes, int] = {}
    before = b""
    for number, key in enumerate(keys, start=1):
        if not key:
            continue
        if key in first_line:
            message = f"duplicate key '{_text(key)}', first seen on line {first_line[key]}"
            findings.fault(path, number, message, kind="duplicate key")
        elif key < before:
            message = f"not sorted: '{_text(key)}' comes after '{_text(before)}'; sort it with LC_ALL=C"
            findings.fault(path, number, message, kind="not sorted")
        first_line.setdefault(key, number)
        before = key


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace").strip()
