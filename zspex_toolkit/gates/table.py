"""Gates: what is asked of an extractor that people are to use, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

PASSED, FAILED, MEASURED = "passed", "failed", "measured"


@dataclass(frozen=True)
class Figure:
    """What was found: a number, or words alone where there is none.

    Attributes:
        value: in the gate's unit; None if there is nothing to measure, NaN if it should have been there.
        interval: 95 % over speakers.
        remark: how much it rests on, or why there is no number.
        rows: the details, if they are worth a table of their own.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    remark: str = ""
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Gate:
    """One row of the table.

    Attributes:
        name: how settings and results call it.
        about: what is measured.
        unit: of the figure.
        measure: takes the bench (see :class:`zspex_toolkit.gates.check_model.Bench`), gives the figure.
        at_least, at_most: what is asked; neither: the figure is for information.
    """

    name: str
    about: str
    unit: str
    measure: Callable[[Any], Figure]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def asked(self) -> str:
        """The limit in words.

        >>> Gate("rate", "rate", "Hz", print, at_least=16000).asked
        'at least 16000 Hz'
        """
        limits = {"at least": self.at_least, "at most": self.at_most}
        return " ".join(f"{word} {limit:g} {self.unit}".strip() for word, limit in limits.items() if limit is not None)

    def verdict(self, figure: Figure) -> str:
        """passed, failed, or measured where nothing is asked or there is no number.

        >>> gate = Gate("confusion", "confusion", "%", print, at_most=4)
        >>> gate.verdict(Figure(4.0)), gate.verdict(Figure(4.1)), gate.verdict(Figure(None))
        ('passed', 'failed', 'measured')
        """
        if figure.value is None or (self.at_least is None and self.at_most is None):
            return MEASURED
        low = self.at_least is None or figure.value >= self.at_least  # False for NaN
        high = self.at_most is None or figure.value <= self.at_most
        return PASSED if low and high else FAILED


@dataclass(frozen=True)
class Checked:
    """A gate with its figure."""

    gate: Gate
    figure: Figure

    @property
    def verdict(self) -> str:
        """As :meth:`Gate.verdict`."""
        return self.gate.verdict(self.figure)

    def line(self) -> str:
        """For the terminal."""
        cells = (self.verdict, self.gate.name, self.found(), self.gate.asked, self.figure.remark)
        return f"{cells[0]:8}  {cells[1]:17}  {cells[2]}" + "".join(f"  ({cell})" for cell in cells[3:] if cell)

    def found(self) -> str:
        """Number and interval.

        >>> Checked(Gate("gain", "gain", "dB", print), Figure(5.246, (4.9, 5.51))).found()
        '5.25 dB [4.9, 5.51]'
        """
        if self.figure.value is None:
            return "-"
        low_high = self.figure.interval
        interval = "" if low_high is None else f" [{_number(low_high[0])}, {_number(low_high[1])}]"
        return f"{_number(self.figure.value)} {self.gate.unit}".strip() + interval

    def facts(self) -> dict[str, Any]:
        """For machines."""
        gate, figure = self.gate, self.figure
        return {
            "name": gate.name,
            "about": gate.about,
            "unit": gate.unit,
            "at_least": gate.at_least,
            "at_most": gate.at_most,
            "value": figure.value,
            "interval": figure.interval,
            "verdict": self.verdict,
            "remark": figure.remark,
            "rows": figure.rows,
        }


def markdown(title: str, checked: Sequence[Checked], notes: Sequence[str]) -> str:
    """The table as a page."""
    lines = [f"# {title}", "", "| gate | | asked | found | | remark |", "| --- | --- | --- | ---: | --- | --- |"]
    for one in checked:
        cells = (one.gate.name, one.gate.about, one.gate.asked, one.found(), one.verdict, one.figure.remark)
        lines.append(_row(cells))
    for one in checked:
        if one.figure.rows:
            lines += ["", f"## {one.gate.name}: {one.gate.about}", "", "| | |", "| --- | --- |"]
            lines += [_row(row) for row in one.figure.rows]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes), ""])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _number(value: float) -> str:
    """
    >>> _number(16000.0), _number(5.2462), _number(0.01525), _number(-36.5)
    ('16000', '5.25', '0.0152', '-36.5')
    """
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
