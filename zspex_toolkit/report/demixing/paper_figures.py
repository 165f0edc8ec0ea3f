"""Accuracies printed in the paper, in per cent on its test sets, to stand beside ours.

Source: Shi and Hain, "Speaker embedding de-mixing", arXiv 2001.06397, Tables 2 and 3 (TIMIT) and 4 (MC-WSJ-AV).
The paper prints no accuracy on training mixtures that we could set beside ours.
"""

from __future__ import annotations

SOURCE = "Shi and Hain, arXiv 2001.06397"

# What the paper calls the rows of its tables, in its order; other functions follow these, before `clean`.
LABELS = {
    "before": "Before",
    "subtract": "Sub",
    "multiply": "Mul",
    "concat1": "Concat1",
    "concat2": "Concat2",
    "share_concat": "Share-Concat",
    "separate_concat": "Separate-Concat",
    "clean": "Clean",
}

_SNRS = (-5.0, 0.0, 5.0)
_COLUMNS = {2: _SNRS, 3: _SNRS, 4: ("array1", "array2")}
_ACCURACIES = {  # of Tables 2, 3 and 4, in the order of their columns
    "before": ((36.5, 58.4, 72.5), (72.0, 58.4, 31.7), (52.1, 47.1)),
    "subtract": ((86.2, 89.9, 95.2), (95.9, 90.0, 87.1), (87.2, 83.9)),
    "multiply": ((83.7, 88.8, 94.8), (95.5, 88.4, 83.2), (84.4, 82.1)),
    "concat1": ((52.9, 56.8, 68.8), (65.1, 56.0, 51.7), (50.2, 41.7)),
    "concat2": ((64.5, 70.3, 88.5), (89.2, 70.9, 64.1), (79.1, 72.4)),
    "share_concat": ((58.9, 86.0, 92.9), (93.7, 87.0, 59.5), (65.1, 55.4)),
    "separate_concat": ((82.5, 93.0, 96.9), (97.1, 93.8, 83.6), (91.3, 90.9)),
    "clean": ((98.5, 98.5, 98.5), (98.5, 98.5, 98.5), (99.1, 99.1)),
}

# Number of the paper's table -> {(function, SNR in dB or microphone): accuracy in per cent}.
PRINTED: dict[int, dict[tuple[str, float | str], float]] = {
    table: {
        (row, column): value
        for row, of_tables in _ACCURACIES.items()
        for column, value in zip(columns, of_tables[number], strict=True)
    }
    for number, (table, columns) in enumerate(_COLUMNS.items())
}

# The corpus each table was measured on, by the name of its recipe.
CORPUS = {2: "timit", 3: "timit", 4: "mc_wsj_av"}


def label(function: str) -> str:
    """Name of a row: the paper's own where it has one, else the file name in the paper's spelling.

    >>> label("separate_concat"), label("early_gating")
    ('Separate-Concat', 'Early-Gating')
    """
    return LABELS.get(function, "-".join(word.capitalize() for word in function.split("_")))


def cell_order(given: str, column: float | str) -> tuple:
    """Sort key of a column of the tables: Table 2's direction first, then by SNR, microphones and what else there is.

    >>> sorted([("e1", 0.0), ("e2", "array1"), ("e2", 10.0), ("e2", 5.0)], key=lambda cell: cell_order(*cell))
    [('e2', 5.0), ('e2', 10.0), ('e2', 'array1'), ('e1', 0.0)]
    """
    named = isinstance(column, str)
    return ({"e2": 0, "e1": 1}.get(given, 2), named, str(column) if named else column)


def paper_order(function: str) -> tuple[int, str]:
    """Sort key of a function: the paper's order, then by name.

    >>> sorted(["modulate", "concat1", "subtract"], key=paper_order)
    ['subtract', 'concat1', 'modulate']
    """
    order = list(LABELS)
    return (order.index(function) if function in LABELS else len(order), function)
