"""A table of words, for Markdown and for HTML."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """Heading, columns and rows; every cell is text, the first ``num_names`` columns name the row."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    num_names: int = 1
    note: str = ""  # printed below

    def markdown(self) -> list[str]:
        """The table alone, as lines.

        >>> Grid("", ("System", "dB"), (("a|b", "1.0"),)).markdown()
        ['| System | dB |', '| --- | ---: |', '| a\\\\|b | 1.0 |']
        """
        rule = ["---" if column < self.num_names else "---:" for column in range(len(self.head))]
        return [_line(self.head), "| " + " | ".join(rule) + " |", *map(_line, self.rows)]

    def section(self, level: int = 3) -> list[str]:
        """Title, table and note as lines of Markdown."""
        lines = ["#" * level + f" {self.title}", "", *self.markdown(), ""]
        return [*lines, self.note, ""] if self.note else lines


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
