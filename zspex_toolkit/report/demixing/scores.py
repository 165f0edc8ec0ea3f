"""Scores of a de-mixing experiment, read from its folder and checked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.cells import json_or_none


@dataclass(frozen=True)
class Score:
    """One line of a ``scores.json``: one function, direction, condition and set of trials."""

    function: str  # file name of the de-mixing function, `before` or `clean`
    given: str  # `e1` or `e2`: the embedding that is known
    condition: str  # `snr-5`, `array1`, ...: what the network was trained on
    snr_db: float | None  # target over interferer; None where mixtures are recorded, not made
    set: str  # `train` or `test`
    num_trials: int
    num_dropped: int
    accuracy: float  # of classifier B, 0..1
    accuracy_interval: tuple[float, float] | None  # 95 % bootstrap
    mean_cosine: float | None  # to the clean embedding of the answer
    list_hash: str
    config_hash: str
    commit: str
    mae: float | None = None
    equal_error_rate: float | None = None  # 0..1
    num_parameters: int | None = None
    seconds: float | None = None
    control: str | None = None  # what was done to the inputs, when this row checks the harness
    path: str = ""  # of the scores.json, relative to the experiment

    @property
    def column(self) -> float | str:
        """Where the score stands in the paper's tables: the SNR in dB, or the microphone."""
        return self.condition if self.snr_db is None else float(self.snr_db)


_OPTIONAL = {field.name for field in dataclasses.fields(Score) if field.default is not dataclasses.MISSING}
_FIELDS = {field.name for field in dataclasses.fields(Score)} - {"path"}


def read_scores(exp: Path) -> list[Score]:
    """All rows of ``exp/demix_*/scores.json`` and ``exp/baseline/*/scores.json``, folders in the order of their names.

    Raises:
        DataDirError: if there are none, a file is broken or misses a column, or two rows claim one cell.
    """
    paths = [*sorted(exp.glob("baseline/*/scores.json")), *sorted(exp.glob("demix_*/scores.json"))]
    if not paths:
        raise DataDirError(f"{exp}: no scores.json in demix_*/ or baseline/*/; run the scoring stage first")
    scores = [score for path in paths for score in _read_file(path, exp)]
    _check_unique(scores)
    return scores


def _read_file(path: Path, exp: Path) -> list[Score]:
    rows = json_or_none(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not rows:
        raise DataDirError(f"{path}: expected a JSON list of scores; remove the file and score again")
    return [_score(row, f"{path}: row {number}", path, exp) for number, row in enumerate(rows, start=1)]


def _score(row: Any, where: str, path: Path, exp: Path) -> Score:
    missing = _FIELDS - _OPTIONAL - set(row if isinstance(row, dict) else ())
    if missing:
        raise DataDirError(f"{where}: no column {', '.join(sorted(missing))}; score again")
    if not 0.0 <= row["accuracy"] <= 1.0:
        raise DataDirError(f"{where}: expected an accuracy from 0 to 1, got {row['accuracy']}")
    known = {name: value for name, value in row.items() if name in _FIELDS}
    known["accuracy_interval"] = tuple(row["accuracy_interval"]) if row["accuracy_interval"] else None
    return Score(**known, path=str(path.relative_to(exp)))


def _check_unique(scores: list[Score]) -> None:
    seen: dict[tuple, Score] = {}
    for score in scores:
        cell = (score.function, score.control, score.given, score.column, score.set)
        if cell in seen:
            where = f"{score.function}, given {score.given}, {score.column}, {score.set}"
            raise DataDirError(
                f"{seen[cell].path} and {score.path} both score {where}; keep one of the two in this experiment"
            )
        seen[cell] = score
