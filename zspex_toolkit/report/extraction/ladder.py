"""Differences between systems, trial by trial: the ablation ladder, and every system against the first."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.metrics.bootstrap_interval import bootstrap_interval
from zspex_toolkit.report.cells import DASH
from zspex_toolkit.report.extraction.scores import MIXTURE, Scored, label
from zspex_toolkit.report.extraction.tables import cell, figure
from zspex_toolkit.report.grid import Grid


@dataclass(frozen=True)
class Difference:
    """Mean over the trials that both systems have, with the 95 % bootstrap interval over their target speakers."""

    system: str
    reference: str
    num_trials: int
    si_sdri: float  # dB
    interval: tuple[float, float] | None  # None if there is but one speaker to draw

    def text(self) -> str:
        if self.interval is None:
            return f"{self.si_sdri:+.2f}"
        low, high = self.interval
        return f"{self.si_sdri:+.2f} [{low:+.2f}, {high:+.2f}]"


def paired_difference(scored: Scored, reference: Scored, metric: str = "si_sdri") -> Difference | None:
    """How much better ``scored`` is than ``reference`` on the same trials; None if they share none.

    Whole target speakers are drawn, because trials of one speaker are not independent.
    """
    pairs = [
        (trial["target"], trial[metric] - reference.trials[utt][metric])
        for utt, trial in sorted(scored.trials.items())
        if trial.get(metric) is not None and reference.trials.get(utt, {}).get(metric) is not None
    ]
    if not pairs:
        return None
    speakers, values = np.array([spk for spk, _ in pairs]), np.array([value for _, value in pairs])
    interval = bootstrap_interval(values, groups=speakers) if len(set(speakers)) > 1 else None
    return Difference(scored.system, reference.system, len(values), float(values.mean()), interval)


def differences(scored: list[Scored]) -> list[Difference]:
    """Every system of a set against its first one, the mixture apart."""
    systems = [one for one in scored if one.system != MIXTURE]
    found = [paired_difference(one, systems[0]) for one in systems[1:]]
    return [difference for difference in found if difference is not None]


def differences_table(found: list[Difference]) -> Grid:
    """:func:`differences` as a table."""
    rows = tuple((label(d.system), label(d.reference), str(d.num_trials), d.text()) for d in found)
    return Grid("Paired differences", ("System", "minus", "Trials", "SI-SDRi, dB"), rows, num_names=2)


@dataclass(frozen=True)
class Rung:
    """A row of the ladder."""

    scored: Scored
    difference: Difference | None  # to the row it is compared with; None for the first


def build_ladder(scored: list[Scored], names: tuple[str, ...]) -> list[Rung]:
    """Rows in the order given.

    Args:
        scored: systems of one set.
        names: a system, compared with the row before it, or ``system:other``, compared with that one.

    Raises:
        ConfigError: for a system that was not scored.
    """
    by_name = {one.system: one for one in scored}
    rungs: list[Rung] = []
    for entry in names:
        name, _, other = entry.partition(":")
        for wanted in filter(None, (name, other)):
            if wanted not in by_name:
                known = ", ".join(sorted(by_name)) or "none"
                raise ConfigError(f"ladder: no scores of '{wanted}'; scored systems are {known}")
        reference = by_name[other] if other else rungs[-1].scored if rungs else None
        rungs.append(Rung(by_name[name], reference and paired_difference(by_name[name], reference)))
    return rungs


def ladder_table(rungs: list[Rung]) -> Grid:
    """The ladder as a table."""
    rows = []
    for rung in rungs:
        parameters, difference = rung.scored.facts.get("num_parameters"), rung.difference
        rows.append(
            (
                label(rung.scored.system),
                DASH if parameters is None else f"{parameters:,}",
                cell(rung.scored, "si_sdri"),
                DASH if difference is None else difference.text(),
                DASH if difference is None else label(difference.reference),
                figure("share_above_1_db", rung.scored.mean("share_above_1_db")),
                figure("confusion", rung.scored.mean("confusion")),
            )
        )
    head = ("System", "Parameters", "SI-SDRi, dB", "Difference, dB", "to", "SI-SDRi > 1 dB, %", "Confusion, %")
    note = "Differences are paired, trial by trial; their 95 % bootstrap intervals draw whole target speakers."
    return Grid("Ladder", head, tuple(rows), note=note)


def ladder_facts(rungs: list[Rung]) -> list[dict[str, Any]]:
    """The ladder for machines."""
    return [
        {
            "system": rung.scored.system,
            "si_sdri": rung.scored.mean("si_sdri"),
            "difference": None if rung.difference is None else dataclasses.asdict(rung.difference),
        }
        for rung in rungs
    ]
