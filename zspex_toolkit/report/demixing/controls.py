"""Checks of the harness itself: rows of scores whose inputs were tampered with, and what they must come to."""

from __future__ import annotations

from zspex_toolkit.report.cells import number
from zspex_toolkit.report.demixing.paper_figures import cell_order, label, paper_order
from zspex_toolkit.report.demixing.scores import Score
from zspex_toolkit.report.demixing.tables import column_label, detail_cells

# Mixing rounds to 16 bits and features are made anew for the oracle: a trial or two may tip over.
_TOLERANCE = 0.005

_MEANING = {
    "oracle": "each utterance mixed with itself, through mixing, features and scoring: must agree with `Clean`",
    "shuffled_known": "the known embedding of a speaker who is not in the mixture: must fall to `Before` or below",
}


def control_lines(scores: list[Score]) -> list[str]:
    """The section of the page as Markdown; empty without controls."""
    controls = sorted(
        (score for score in scores if score.control is not None),
        key=lambda score: (score.control, *cell_order(score.given, score.column), paper_order(score.function)),
    )
    if not controls:
        return []
    lines = ["## Controls", "", "Checks of the harness itself, not of a network.", ""]
    named = sorted({score.control for score in controls})
    lines += [*(f"- `{name}`: {_MEANING[name]}" for name in named if name in _MEANING), ""]
    lines += [
        "| Control | Function | Given | | Set | Trials | Dropped | Accuracy % | 95 % interval | Cosine | MAE | EER % |"
    ]
    lines += ["| --- | --- | --- | --- | --- |" + " ---: |" * 7]
    for score in controls:
        cells = [score.control, label(score.function), score.given, column_label(score.column), score.set]
        lines.append("| " + " | ".join([*cells, *detail_cells(score)]) + " |")
    return [*lines, ""]


def failed_controls(scores: list[Score]) -> list[str]:
    """Controls that do not come to what they must, a line each: then no other figure is to be trusted."""
    plain = {(s.function, s.given, s.column, s.set): s for s in scores if s.control is None}
    lines = []
    for score in scores:
        cell = (score.given, score.column, score.set)
        clean, before = plain.get(("clean", *cell)), plain.get(("before", *cell))
        where = f"control {score.control} of {label(score.function)}, given {score.given}, {column_label(score.column)}"
        found = f"{where}, {score.set}: {number(100 * score.accuracy)} %"
        if score.control == "oracle" and clean and abs(score.accuracy - clean.accuracy) > _TOLERANCE:
            lines.append(f"{found} is not the {number(100 * clean.accuracy)} % of Clean")
        if score.control == "shuffled_known" and before and score.accuracy > _upper_end(before):
            lines.append(f"{found} is above the {number(100 * before.accuracy)} % of Before")
    return lines


def _upper_end(score: Score) -> float:
    return score.accuracy_interval[1] if score.accuracy_interval else score.accuracy
