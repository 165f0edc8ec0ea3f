"""What a check found: faults and warnings, each with file and line, bounded in number per kind."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

SHOWN_PER_KIND = 10


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
