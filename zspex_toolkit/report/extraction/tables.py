"""The tables of an extraction experiment: how measures are called and printed, all trials of a set, groups of them."""

from __future__ import annotations

from dataclasses import dataclass

from zspex_toolkit.report.cells import DASH, number
from zspex_toolkit.report.extraction.scores import MIXTURE, Scored, label
from zspex_toolkit.report.grid import Grid


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

_MAIN = (
    *("si_sdr", "si_sdri", "sdr", "sdri", "pesq", "pesqi", "stoi", "stoii", "estoi", "estoii"),
    *("share_above_1_db", "confusion", "silent_output", "similarity"),
)
_GROUPED = ("si_sdr", "si_sdri", "sdri", "pesq", "estoi", "share_above_1_db", "confusion", "similarity")
_GAINS = (
    *("si_sdri", "sdri", "pesqi", "stoii", "estoii"),
    *("share_above_1_db", "false_acceptance", "false_rejection"),
)
_CONDITIONS = ("si_sdr", "si_sdri", "energy_left_db", "false_acceptance", "false_rejection")

# What trials are grouped by, how the table is called, and what its first column says.
GROUPS = {
    "pair": ("By genders of the two speakers", "Pair"),
    "snr_db": ("By SNR of the target over the interferer", "SNR, dB"),
    "enrollment_seconds": ("By length of the enrollment", "Enrollment, s"),
    "overlap": ("By overlap: share of the target's speech during which the interferer speaks", "Overlap"),
    "enrollment": ("By what the enrollment is", "Enrollment"),
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


def main_table(scored: list[Scored]) -> Grid:
    """A row per system, the unprocessed mixture first: all measures, with their 95 % intervals."""
    metrics = [
        name for name in measured(scored, _MAIN) if name != "silent_output" or any(one.mean(name) for one in scored)
    ]
    rows = tuple(
        (label(one.system), *_counts(one), *(_cell(one, metric, "all") for metric in metrics)) for one in scored
    )
    head = ("System", "Trials", "Dropped", *(MEASURES[metric].heading for metric in metrics))
    return Grid("Trials with target and interferer", head, rows, note=_main_note(scored))


def _main_note(scored: list[Scored]) -> str:
    texts = [
        f"{label(one.system)} {cell(one, 'si_sdri', interval='speaker_interval')}"
        for one in scored
        if one.system != MIXTURE and one.mean("si_sdri") is not None
    ]
    lines = ["Intervals draw trials. SI-SDRi with intervals that draw whole target speakers: " + "; ".join(texts) + "."]
    for one in scored:
        if one.facts.get("expected_si_sdr") is not None:
            expected = figure("si_sdr", one.facts["expected_si_sdr"])
            lines.append(f"Others found a mean SI-SDR of {expected} dB for the unprocessed mixtures.")
    return " ".join(lines if texts else lines[1:])


def group_tables(scored: list[Scored]) -> list[Grid]:
    """A table for each property of trials in ``GROUPS`` that was scored."""
    return [
        _group_table(scored, by, title, (first, "System"), _GROUPED)
        for by, (title, first) in GROUPS.items()
        if any(one.values(by) for one in scored)
        and (by != "enrollment" or any(len(one.values(by)) > 1 for one in scored))
    ]


def condition_table(scored: list[Scored]) -> Grid | None:
    """Trials whose target is there, is not, or speaks alone; None if there is but one such kind."""
    values = {value for one in scored for value in one.values("condition")}
    if len(values) < 2:
        return None
    note = (
        "`absent`: the enrolled speaker is not in the mixture; energy left is that of the output over that of the "
        "mixture, a false acceptance is a presence score of 0.5 or more. `single`: the target alone speaks; a false "
        "rejection is a presence score under 0.5."
    )
    title = "By condition: the target is there, is absent, or speaks alone"
    return _group_table(scored, "condition", title, ("Condition", "System"), _CONDITIONS, note)


def cost_table(scored: list[Scored]) -> Grid | None:
    """Size and cost of the systems; None if none of them says."""
    keys = ("num_parameters", "macs_per_second", "real_time_factor", "peak_memory_mib")
    systems = [one for one in scored if any(one.facts.get(key) is not None for key in keys)]
    if not systems:
        return None
    rows = []
    for one in systems:
        parameters, macs, factor, memory = (one.facts.get(key) for key in keys)
        rows.append(
            (
                label(one.system),
                DASH if parameters is None else f"{parameters:,}",
                number(None if macs is None else macs / 1e9, 2),
                number(factor, 4),
                number(memory, 0),
            )
        )
    head = ("System", "Parameters", "GMAC per second of audio", "Real-time factor", "Peak memory, MiB")
    return Grid("Cost of extraction", head, tuple(rows))


def _group_table(
    scored: list[Scored], by: str, title: str, first: tuple[str, str], metrics: tuple[str, ...], note: str = ""
) -> Grid:
    shown = measured(scored, metrics, by)
    values = list(dict.fromkeys(value for one in scored for value in one.values(by)))
    rows = tuple(
        (value, label(one.system), str(group["num_trials"]), *(_cell(one, metric, by, value) for metric in shown))
        for value in values
        for one in scored
        if (group := one.group(by, value)) is not None
    )
    head = (*first, "Trials", *(MEASURES[metric].heading for metric in shown))
    return Grid(title, head, rows, num_names=2, note=note)


def _cell(scored: Scored, metric: str, by: str, value: str | None = None) -> str:
    """A cell; that the mixture gains nothing, and is the target where that speaks alone, was not measured."""
    known = scored.system == MIXTURE and (metric in _GAINS or value == "single")
    return DASH if known else cell(scored, metric, by, value)


def _counts(scored: Scored) -> tuple[str, str]:
    """Trials that the means are over, and those of the set that could not be scored."""
    group = scored.group()
    return str(group["num_trials"] if group else 0), str(scored.facts["num_dropped"])
