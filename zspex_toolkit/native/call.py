"""Calls of the compiled functions, and what they return."""

from __future__ import annotations

from typing import Any


def call(function: Any, *arguments: Any) -> None:
    """Call a function of the library, which returns 0, or 1 without enough memory.

    Raises:
        MemoryError: if there is not enough; what the function was to write is then of no use.
    """
    if function(*arguments) != 0:
        raise MemoryError(f"{function.__name__}: not enough memory; take smaller batches or shorter signals")
