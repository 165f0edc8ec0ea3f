"""How the measures of extracted speech are called and printed."""

from __future__ import annotations

from dataclasses import dataclass

from zspex_toolkit.report.extraction_scores import Scored
from zspex_toolkit.report.tables import DASH


@dataclass(frozen=True)
class Measure:
    """A column of a table."""

    heading: str
    digits: int
    scale: float = 1.0  # 100 prints a share in per cent


MEASURES = {
    "si_sdr": Measure("SI-SDR, dB", 2),
    "si_sdri": Measure("SI-SDRi, dB", 2),
    "sdr": Measure("SDR, dB", 2),
    "sdri": Measure("SDRi, dB", 2),
    "pesq": Measure("PESQ", 2),
    "pesqi": Measure("PESQi", 2),
    "stoi": Measure("STOI", 3),
    "stoii": Measure("STOIi", 3),
    "estoi": Measure("ESTOI", 3),
    "estoii": Measure("ESTOIi", 3),
    "share_above_1_db": Measure("SI-SDRi > 1 dB, %", 1, 100.0),
    "confusion": Measure("Confusion, %", 1, 100.0),
    "silent_output": Measure("Silent outputs, %", 1, 100.0),
    "similarity": Measure("Similarity", 3),
    "energy_left_db": Measure("Energy left, dB", 1),
    "false_acceptance": Measure("False acceptance, %", 1, 100.0),
    "false_rejection": Measure("False rejection, %", 1, 100.0),
}


def cell(scored: Scored, metric: str, by: str = "all", value: str | None = None, *, interval: str = "interval") -> str:
    """Mean of a measure and its 95 % interval, ``9.87 [9.60, 10.10]``; a dash if it was not computed.

    Args:
        scored: one system on one set.
        metric: name in scores.json.
        by, value: the group of trials.
        interval: ``interval``, from drawing trials, or ``speaker_interval``, from drawing whole target speakers.
    """
    group = scored.group(by, value) or {"metrics": {}}
    found = group["metrics"].get(metric) or {}
    if found.get("mean") is None:
        return DASH
    text = figure(metric, found["mean"])
    if not found.get(interval):
        return text
    low, high = (figure(metric, bound) for bound in found[interval])
    return f"{text} [{low}, {high}]"


def figure(metric: str, value: float | None) -> str:
    """One value of a measure in its own unit and digits.

    >>> figure("confusion", 0.0312), figure("si_sdri", None)
    ('3.1', '–')
    """
    measure = MEASURES[metric]
    return (
        DASH if value is None else f"{round(measure.scale * value, measure.digits) + 0.0:.{measure.digits}f}"
    )  # no -0.0


def measured(scored: list[Scored], metrics: tuple[str, ...], by: str = "all") -> list[str]:
    """Those of ``metrics`` that any of the systems has in any group ``by``."""
    found = {
        metric
        for one in scored
        for group in one.facts["groups"]
        if group["by"] == by
        for metric, entry in group["metrics"].items()
        if entry and entry.get("mean") is not None
    }
    return [metric for metric in metrics if metric in found]
