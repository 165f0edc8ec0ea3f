"""Which trials a page lets its reader hear: chosen by rank, never by ear."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zspex_toolkit.report.extraction_scores import MIXTURE, Scored

# Gender of the two speakers in trials.jsonl, and the heading on the page, in the order of the authors' page.
KINDS = {
    "different": "Different genders",
    "female": "Female and female",
    "male": "Male and male",
    "unknown": "Genders unknown",
}
QUANTILES = {0.1: "10th percentile", 0.5: "median", 0.9: "90th percentile"}

RULE = (
    "Cases are chosen by rank, not by ear: within each kind, all trials with a present target and an interferer are "
    "sorted by SI-SDR improvement (the mean over the systems shown), and those at the 10th percentile, the median and "
    "the 90th percentile are played. After them comes the worst trial of all."
)
ABSENT_RULE = "Last comes the median trial, by energy left, in which the enrolled speaker does not speak."


@dataclass(frozen=True)
class Case:
    """One trial of the page."""

    heading: str  # the section it stands in
    place: str  # why this one
    trial: str  # its id


def choose_cases(scored: list[Scored]) -> list[Case]:
    """Cases of one set, each trial once.

    Args:
        scored: the systems shown; the order of the trials depends on them and on nothing else.
    """
    systems = [one for one in scored if one.system != MIXTURE]
    gains = _means(systems, "si_sdri", "present")
    kinds = {utt: systems[0].trials[utt].get("pair") or "unknown" for utt in gains}
    cases = []
    for kind, heading in KINDS.items():
        ranked = _ranked({utt: gain for utt, gain in gains.items() if kinds[utt] == kind})
        for share, place in QUANTILES.items() if ranked else ():
            cases.append(Case(heading, place, ranked[round(share * (len(ranked) - 1))]))
    if gains:
        cases.append(Case("The worst of all", "lowest mean improvement", _ranked(gains)[0]))
    absent = _ranked(_means(systems, "energy_left_db", "absent"))
    if absent:
        cases.append(Case("Target absent", "median energy left", absent[(len(absent) - 1) // 2]))
    return _without_repetition(cases)


def _means(systems: list[Scored], metric: str, condition: str) -> dict[str, float]:
    """Mean over the systems, of trials that all of them have; a silent output of a present target is worst of all."""
    found = {}
    for utt, trial in systems[0].trials.items() if systems else ():
        lines = [one.trials.get(utt, {}) for one in systems]
        silent = condition == "present"
        values = [-math.inf if silent and line.get("silent") else line.get(metric) for line in lines]
        if trial["condition"] == condition and None not in values:
            found[utt] = sum(values) / len(values)
    return found


def _ranked(values: dict[str, float]) -> list[str]:
    return sorted(values, key=lambda utt: (values[utt], utt))


def _without_repetition(cases: list[Case]) -> list[Case]:
    first: dict[str, Case] = {}
    for case in cases:
        first.setdefault(case.trial, case)
    return list(first.values())
