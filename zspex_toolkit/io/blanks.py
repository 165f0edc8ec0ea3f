"""What a table's text is made of: one definition of a blank, and what no table may hold.

Fields are separated by ASCII blanks (space and tab) and lines by ``\\n``; nothing else is. Other characters that look
like one, and control characters, are faults: every program splits them in another way.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

from zspex_toolkit.errors import DataDirError

BLANKS = " \t"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\ufeff]")
# And what Unicode calls a space.
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")
_ODD_BYTES = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def is_id(text: str) -> bool:
    """Whether ``text`` can be the id of an utterance, a speaker or a recording: one word without odd characters."""
    return bool(text) and not any(blank in text for blank in (*BLANKS, "\n")) and not _ODD.search(text)


def may_be_odd(data: bytes) -> bool:
    """Whether lines have to be looked at one by one; False for most."""
    if data.isascii():
        return _ODD_BYTES.search(data) is not None
    return _ODD.search(data.decode("utf-8", "replace")) is not None


def odd_character(table: str, line: str) -> str | None:
    """What is odd about a line of a table, its line end taken away; None if nothing is.

    Args:
        table: its name. Paths (``*.scp``) may hold blanks of other kinds; those in ``text`` are told by its own rule.
        line: the line.
    """
    found = _CONTROL.search(line) or _ODD.search(re.split(f"[{BLANKS}]", line, maxsplit=1)[0])
    if found is None and not table.endswith(".scp") and not table.startswith("text"):
        found = _ODD.search(line)
    if found is None:
        return None
    name = unicodedata.name(found[0], "control character")
    return f"U+{ord(found[0]):04X} ({name.lower()}) in {line!r}; only spaces and tabs are blanks, and no id holds any"


def encoding_fault(data: bytes) -> tuple[int, str] | None:
    """Line and wording of what is wrong with a text file's encoding; None for UTF-8 without a byte order mark."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            if encoding == "utf-16":
                return 1, "expected UTF-8 text, found UTF-16; convert it: iconv -f UTF-16 -t UTF-8, or fix_data_dir"
            return (
                1,
                "begins with a byte order mark (U+FEFF); fix_data_dir removes it, or an editor",
            )
    if b"\r" in data and b"\n" not in data:
        return 1, "expected Unix line ends, got carriage returns alone; convert the file with mac2unix"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "is it Latin-1? iconv -f LATIN1 -t UTF-8 converts it"
        line = data.count(b"\n", 0, error.start) + 1
        return line, f"expected UTF-8 text, found byte 0x{data[error.start]:02x}; {hint}"
    return None


def without_mark(data: bytes) -> tuple[bytes, str | None]:
    """UTF-8 without a byte order mark, and what was done to get it; other encodings are left as they are."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            try:
                return data.decode(encoding).encode(), (
                    "converted from UTF-16" if encoding == "utf-16" else "byte order mark removed"
                )
            except UnicodeDecodeError:
                return data, None
    return data, None


def read_lines(path: Path) -> list[str]:
    """The lines of a list that a person may have written: Windows' line ends and a last line without one are taken.

    Raises:
        DataDirError: for a missing file, with ``file:line`` for an encoding other than UTF-8 or a byte order mark.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataDirError(f"{path}: {(error.strerror or 'not readable').lower()}") from error
    if fault := encoding_fault(data):
        raise DataDirError(f"{path}:{fault[0]}: {fault[1]}")
    lines = data.decode("utf-8").split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]
