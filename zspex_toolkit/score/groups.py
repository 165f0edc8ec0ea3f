"""Means and intervals over groups of scored trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from zspex_toolkit.metrics.bootstrap_interval import bootstrap_intervals
from zspex_toolkit.score.trials import CONDITIONS

Row = dict[str, Any]

PAIRS = ("different", "female", "male")
SNR_DB = (-5.0, -2.5, 0.0, 2.5, 5.0)
ENROLLMENT_S = (2.0, 4.0, 6.0, 10.0, 15.0)
OVERLAP_PERCENT = (0.0, 25.0, 50.0, 75.0, 100.0)
# What trials are described by; all other numbers of a row are measures, and get a mean.
_DESCRIPTION = ("seconds", "enrollment_seconds", "snr_db", "overlap", "presence", "energy_left_db")


def summarise(rows: Sequence[Row], *, threshold: float = 0.5) -> list[dict[str, Any]]:
    """Groups as they stand in ``scores.json``.

    ``all`` and the groups by pair, SNR, enrollment, overlap and leak hold the trials with target and interferer; where
    the list has none, ``all`` holds all. Those by condition hold the others too.

    Args:
        rows: lines of ``trials.jsonl``.
        threshold: a presence below it says that the enrolled speaker is not there.
    """
    present = [row for row in rows if row["condition"] == "present"]
    groups = [_group("all", "all", present or list(rows), threshold)]
    for by, label_of, labels in (
        ("pair", lambda row: row["pair"], PAIRS),
        ("snr_db", _binned("snr_db", SNR_DB, "dB"), bin_labels(SNR_DB, "dB")),
        ("enrollment_seconds", _binned("enrollment_seconds", ENROLLMENT_S, "s"), bin_labels(ENROLLMENT_S, "s")),
        ("overlap", _binned("overlap", OVERLAP_PERCENT, "%", 100), bin_labels(OVERLAP_PERCENT, "%")),
        ("enrollment", _enrollment, ("other utterance", "target itself")),
    ):
        groups += _grouped(by, label_of, labels, present, threshold)
    return groups + _grouped("condition", lambda row: row["condition"], CONDITIONS, rows, threshold)


def bin_labels(edges: Sequence[float], unit: str) -> list[str]:
    """Names of the intervals between and beyond ``edges``.

    >>> bin_labels((0, 2.5, 5), "dB")
    ['below 0 dB', '0 to 2.5 dB', '2.5 to 5 dB', 'above 5 dB']
    """
    between = [f"{low:g} to {high:g} {unit}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:g} {unit}", *between, f"above {edges[-1]:g} {unit}"]


def bin_of(value: float, edges: Sequence[float], unit: str) -> str:
    """Which of :func:`bin_labels` holds ``value``; an edge belongs above it, the last one below.

    What is measured on 16-bit samples misses what was asked for by a little, so it is rounded to a tenth first.

    >>> bin_of(-0.04, (0, 2.5, 5), "dB"), bin_of(5.03, (0, 2.5, 5), "dB"), bin_of(5.2, (0, 2.5, 5), "dB")
    ('0 to 2.5 dB', '2.5 to 5 dB', 'above 5 dB')
    """
    value = round(value, 1)
    number = len(edges) - 1 if value == edges[-1] else int(np.searchsorted(edges, value, side="right"))
    return bin_labels(edges, unit)[number]


def _binned(column: str, edges: Sequence[float], unit: str, scale: float = 1.0) -> Callable[[Row], str | None]:
    return lambda row: None if row[column] is None else bin_of(scale * row[column], edges, unit)


def _enrollment(row: Row) -> str | None:
    names = {True: "target itself", False: "other utterance"}
    return names.get(row["enrolls_with_target"])


def _grouped(
    by: str, label_of: Callable[[Row], str | None], labels: Sequence[str], rows: Sequence[Row], threshold: float
) -> list[dict[str, Any]]:
    members: dict[str, list[Row]] = {label: [] for label in labels}
    for row in rows:
        members.get(label_of(row) or "", []).append(row)
    return [_group(by, label, found, threshold) for label, found in members.items() if found]


def _group(by: str, value: str, rows: list[Row], threshold: float) -> dict[str, Any]:
    columns = {name: values for name, values in _columns(rows, threshold).items() if not np.isnan(values).all()}
    if not columns:
        return {"by": by, "value": value, "num_trials": len(rows), "metrics": {}}
    values = np.stack(list(columns.values()), axis=1)  # (n, M)
    speakers = np.array([row["target"] for row in rows])
    several = [len(set(speakers[~np.isnan(column)])) > 1 for column in columns.values()]
    facts = zip(
        np.nanmean(values, axis=0),
        bootstrap_intervals(values),
        bootstrap_intervals(values, groups=speakers),
        several,
        (~np.isnan(values)).sum(axis=0),
        strict=True,
    )
    metrics = {
        name: {
            "mean": round(float(mean), 4),
            "interval": interval.round(4).tolist(),
            # One speaker, drawn again and again, would seem to leave no doubt.
            "speaker_interval": by_speaker.round(4).tolist() if several else None,
            "num_trials": int(count),
        }
        for name, (mean, interval, by_speaker, several, count) in zip(columns, facts, strict=True)
    }
    return {"by": by, "value": value, "num_trials": len(rows), "metrics": metrics}


def _columns(rows: list[Row], threshold: float) -> dict[str, np.ndarray]:
    """Every measure of the trials, (n,) each, NaN where a trial has none."""
    names = {name: None for row in rows for name, value in row.items() if type(value) is float}
    columns = {name: [row.get(name) for row in rows] for name in names if name not in _DESCRIPTION}
    columns |= {
        "energy_left_db": [row["energy_left_db"] if row["condition"] == "absent" else None for row in rows],
        "share_above_1_db": [_compared(row, "si_sdri", lambda row: row["si_sdri"] > 1) for row in rows],
        "confusion": [
            _compared(row, "si_sdr_interferer", lambda row: row["si_sdr_interferer"] > row["si_sdr"]) for row in rows
        ],
        "silent_output": [row["silent"] for row in rows],
        "false_rejection": [_presence(row, row["condition"] != "absent", threshold, True) for row in rows],
        "false_acceptance": [_presence(row, row["condition"] == "absent", threshold, False) for row in rows],
    }
    return {name: np.array(values, dtype=np.float64) for name, values in columns.items()}


def _compared(row: Row, needs: str, holds: Callable[[Row], bool]) -> bool | None:
    """Whether something holds of a trial; of a silent output, which nothing was measured of, it does not."""
    if row["condition"] == "present" and row["silent"]:
        return False
    return None if row.get(needs) is None or row.get("si_sdr") is None else holds(row)


def _presence(row: Row, counts: bool, threshold: float, rejected: bool) -> bool | None:
    if not counts or row["presence"] is None:
        return None
    return (row["presence"] < threshold) == rejected
