"""Numbers as Kaldi's tables spell them: ASCII digits, finite; no ``inf``, ``1_0`` or other digits."""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[0-9]{1,18}")  # more do not fit 64 bits
_LARGEST = 1e12  # seconds, Hz, years: beyond it is no table's number, and products with a rate stay finite


def decimal(text: str | bytes) -> float:
    """The number that ``text`` spells, blanks around it left away.

    Raises:
        ValueError: if it spells none, or one above 1e12.

    >>> decimal(" 1.5e2 ")
    150.0
    """
    text = _text(text)
    if not _DECIMAL.fullmatch(text) or abs(number := float(text)) > _LARGEST:
        raise ValueError(f"expected a number, got '{text}'")
    return number


def whole_number(text: str | bytes) -> int:
    """The whole number from 0 on that ``text`` spells, blanks around it left away.

    Raises:
        ValueError: if it spells none, or one of more than 18 digits.
    """
    text = _text(text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"expected a whole number, got '{text}'")
    return int(text)


def _text(text: str | bytes) -> str:
    return (text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text).strip(" \t\n")
