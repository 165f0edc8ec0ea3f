"""The paper's accuracy tables, filled with our scores: rows are functions, columns are SNRs or microphones."""

from __future__ import annotations

from dataclasses import dataclass

from zspex_toolkit.report.cells import DASH, number, percent
from zspex_toolkit.report.demixing.paper_figures import LABELS, PRINTED, label
from zspex_toolkit.report.demixing.scores import Score

SETS = ("train", "test")
_BOUNDS = ("before", "clean")  # rows that are no de-mixing function

Column = float | str


@dataclass(frozen=True)
class Table:
    """One table of the paper and the scores that fill it; a cell without a score was not measured."""

    number: int  # the paper's
    given: str  # `e1` or `e2`
    rows: tuple[str, ...]  # functions, `before` first, `clean` last
    columns: tuple[Column, ...]  # SNRs in dB, or microphones
    cells: dict[tuple[str, Column, str], Score]  # (row, column, set)

    @property
    def title(self) -> str:
        answer = "e1" if self.given == "e2" else "e2"
        return f"Table {self.number}: given {self.given}, get {answer}"

    @property
    def printed(self) -> dict[tuple[str, Column], float]:
        """The paper's figures; for Table 4, which it prints once, they stand beside the direction of Table 2."""
        return {} if (self.number, self.given) == (4, "e1") else PRINTED[self.number]

    def accuracy(self, row: str, column: Column, dataset: str = "test") -> float | None:
        """Accuracy in per cent; None if not measured."""
        score = self.cells.get((row, column, dataset))
        return None if score is None else percent(score.accuracy)

    def best(self, column: Column) -> str | None:
        """The de-mixing function of highest test accuracy; the first of equals, None if none was measured."""
        functions = [row for row in self.rows if row not in _BOUNDS and (row, column, "test") in self.cells]
        return max(functions, key=lambda row: self.cells[row, column, "test"].accuracy, default=None)

    def measured(self) -> tuple[str, ...]:
        """Rows with at least one score."""
        return tuple(row for row in self.rows if any(row == cell_row for cell_row, _, _ in self.cells))

    def missing(self) -> list[str]:
        """What was not measured: ``Sub: -5 dB test, 0 dB test``; rows without any score share a line."""
        lines = []
        for row in self.measured():
            absent = [
                f"{column_label(column)} {dataset}"
                for column in self.columns
                for dataset in SETS
                if (row, column, dataset) not in self.cells
            ]
            if absent:
                lines.append(f"{row_label(self, row)}: {', '.join(absent)}")
        unmeasured = [row_label(self, row) for row in self.rows if row not in self.measured()]
        return [*lines, f"not run: {', '.join(unmeasured)}"] if unmeasured else lines


def build_tables(scores: list[Score]) -> list[Table]:
    """The tables that ``scores`` can fill: 2 and 3 from set SNRs, 4 from microphones; controls stand elsewhere."""
    scores = [score for score in scores if score.control is None]
    by_snr = [score for score in scores if isinstance(score.column, float)]
    by_microphone = [score for score in scores if isinstance(score.column, str)]
    tables = []
    if by_snr:
        tables += [_table(2, "e2", by_snr), _table(3, "e1", by_snr)]
    if by_microphone:
        givens = {score.given for score in by_microphone}
        tables += [_table(4, given, by_microphone) for given in ("e2", "e1") if given in givens]
    return tables


def _table(number: int, given: str, scores: list[Score]) -> Table:
    further = sorted({score.function for score in scores} - LABELS.keys())
    names = list(LABELS)
    return Table(
        number=number,
        given=given,
        rows=(*names[:-1], *further, names[-1]),
        columns=tuple(sorted({column for _, column in PRINTED[number]} | {score.column for score in scores})),
        cells={(score.function, score.column, score.set): score for score in scores if score.given == given},
    )


def column_label(column: Column) -> str:
    """Heading of a column, as in the paper.

    >>> column_label(-5.0), column_label("array1")
    ('-5 dB', 'M1')
    """
    if isinstance(column, str):
        return column.replace("array", "M") if column.startswith("array") else column
    return f"{column:g} dB"


def row_label(table: Table, row: str) -> str:
    """Name of a row; the paper's Table 4 calls the clean signal by its microphone."""
    return "Headset" if (table.number, row) == (4, "clean") else label(row)


def accuracy_lines(table: Table) -> list[str]:
    """The table in the paper's layout as Markdown: train and test accuracy and the paper's test accuracy, in per cent.

    The best function of each column is bold.
    """
    head, rule = ["Function"], ["---"]
    for column in table.columns:
        name = column_label(column)
        head += [f"{name} train", f"{name} test", f"*{name} paper*"]
        rule += ["---:"] * 3
    lines = [_line(head), _line(rule)]
    best = {column: table.best(column) for column in table.columns}
    for row in table.rows:
        cells = [row_label(table, row)]
        for column in table.columns:
            test = number(table.accuracy(row, column))
            printed = number(table.printed.get((row, column)))
            cells += [number(table.accuracy(row, column, "train")), f"**{test}**" if row == best[column] else test]
            cells += [printed if printed == DASH else f"*{printed}*"]
        lines.append(_line(cells))
    return lines


def detail_lines(table: Table, dataset: str) -> list[str]:
    """Every measured cell of one set: trials, accuracy with its interval, cosine, error and equal-error rate."""
    head = ["Function", "", "Trials", "Dropped", "Accuracy %", "95 % interval", "Cosine", "MAE", "EER %"]
    lines = [_line(head), _line(["---", "---", *["---:"] * 7])]
    for row in table.rows:
        for column in table.columns:
            score = table.cells.get((row, column, dataset))
            if score is not None:
                lines.append(_line([row_label(table, row), column_label(column), *detail_cells(score)]))
    return lines


def detail_cells(score: Score) -> list[str]:
    """Trials, dropped, accuracy, interval, mean cosine, mean absolute error and equal-error rate of one score."""
    interval = score.accuracy_interval
    return [
        str(score.num_trials),
        str(score.num_dropped),
        number(100 * score.accuracy),
        DASH if interval is None else f"{number(100 * interval[0])} to {number(100 * interval[1])}",
        number(score.mean_cosine, 3),
        number(score.mae, 4),
        number(percent(score.equal_error_rate)),
    ]


def ratios(table: Table) -> list[dict]:
    """Per column: the best function, its test accuracy over that of ``clean``, and the paper's own such ratio."""
    lines = []
    for column in table.columns:
        best, ours = table.best(column), None
        clean = table.accuracy("clean", column)
        if best is not None and clean:
            ours = table.accuracy(best, column) / clean
        lines.append({"column": column, "best": best, "ratio": ours, "paper_ratio": _printed_ratio(table, column)})
    return lines


def ratio_lines(table: Table) -> list[str]:
    """:func:`ratios` as Markdown."""
    lines = [_line(["", "Best function", "Best / Clean", "*paper*"]), _line(["---", "---", "---:", "---:"])]
    for ratio in ratios(table):
        paper = number(ratio["paper_ratio"], 3)
        best = DASH if ratio["best"] is None else label(ratio["best"])
        cells = [column_label(ratio["column"]), best, number(ratio["ratio"], 3)]
        lines.append(_line([*cells, paper if paper == DASH else f"*{paper}*"]))
    return lines


def _printed_ratio(table: Table, column: Column) -> float | None:
    values = {row: value for (row, place), value in table.printed.items() if place == column}
    if not values:
        return None
    return max(value for row, value in values.items() if row not in _BOUNDS) / values["clean"]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
