"""Read what can be read of a faulty table: the sound lines, and for the others where and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zspex_toolkit.io.known_tables import Rule


@dataclass(frozen=True)
class Dropped:
    """An entry left out; ``kind`` is the same for all that went for one reason, ``detail`` says where and what."""

    key: str
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.key} {self.kind}" + (f": {self.detail}" if self.detail else "")


@dataclass
class Salvage:
    """The sound part of a table.

    Attributes:
        rows: key -> value, in the file's order.
        dropped: the lines left out.
    """

    rows: dict[str, str] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)


def salvage_table(path: Path, rule: Rule) -> Salvage:
    """The lines of the table at ``path`` that have a key, a value that ``rule`` accepts, and a key not seen before."""
    found = Salvage()
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        fields = line.split(None, 1)
        if not fields:
            continue
        key, value = fields[0].decode("utf-8", "backslashreplace"), fields[1].strip() if len(fields) == 2 else b""
        if complaint := _complaint(path.name, line, value, rule):
            found.dropped.append(Dropped(key, f"malformed line of {path.name}", f"line {number}: {complaint}"))
        elif key in found.rows:
            same = found.rows[key] == value.decode("utf-8")
            detail = f"line {number}: {'the same again' if same else 'another value, the first was kept'}"
            found.dropped.append(Dropped(key, f"repeated key in {path.name}", detail))
        else:
            found.rows[key] = value.decode("utf-8")
    return found


def _complaint(name: str, line: bytes, value: bytes, rule: Rule) -> str | None:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    if not value:
        return None if name.startswith("text") else "no value"
    return rule(value)
