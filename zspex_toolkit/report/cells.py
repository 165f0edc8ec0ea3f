"""Cells of tables, for both tasks."""

from __future__ import annotations

import json
from typing import Any

DASH = "–"  # a cell that was not measured


def number(value: float | None, digits: int = 1) -> str:
    """A figure of a table; a dash if it was not measured."""
    return DASH if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> float | None:
    """A share in per cent; None stays None."""
    return None if share is None else 100 * share


def json_or_none(text: str) -> Any:
    """What the text says; None if it is no JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None
