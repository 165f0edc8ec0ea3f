"""What a check is asked and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OK, WARNING, FAULT = "ok", "warning", "fault"


@dataclass(frozen=True)
class Asked:
    """What the user named; None where nothing was."""

    model: str | None = None  # an experiment, a packed model, or a shipped one by name
    data: Path | None = None  # data directory
    recipe: Path | None = None  # folder of a recipe, such as egs/libri2mix/tse1
    corpus_dir: Path | None = None  # the recipe's corpus


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis."""

    state: str  # ok, warning or fault
    what: str
    remedy: str = ""  # what to do; empty where all is well
