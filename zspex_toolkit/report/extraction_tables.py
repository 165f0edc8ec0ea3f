"""The tables of an extraction experiment: all trials of a set, and groups of them."""

from __future__ import annotations

from zspex_toolkit.report.extraction_metrics import MEASURES, cell, figure, measured
from zspex_toolkit.report.extraction_scores import MIXTURE, Scored, label
from zspex_toolkit.report.grid import Grid
from zspex_toolkit.report.tables import DASH, number

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
