"""Where the figures of an extraction experiment come from: sets of trials, trainings, versions."""

from __future__ import annotations

from typing import Any

from zspex_toolkit.report.cells import DASH, number
from zspex_toolkit.report.extraction.curves import hours_of_audio
from zspex_toolkit.report.extraction.scores import MIXTURE, Scored, label
from zspex_toolkit.report.extraction.tables import MEASURES
from zspex_toolkit.report.grid import Grid
from zspex_toolkit.report.trainings import Training

_COMMITS = ("config_hash", "trained_commit", "scored_commit")


def training_facts(system: str, training: Training, scored: list[Scored]) -> dict[str, Any]:
    """What a system was trained with and for how long, and with what it was scored; None where nothing says so.

    Args:
        system: name of its folder.
        training: what the folder tells.
        scored: all scores.
    """
    commits = {str(one.facts["commit"]) for one in scored if one.system == system and one.facts.get("commit")}
    steps = [epoch.get("steps") for epoch in training.history]
    best = next((epoch for epoch in reversed(training.history) if epoch.get("best")), {})  # whose weights extract
    hours = hours_of_audio(training)
    return {
        "system": system,
        "effective_batch": training.effective_batch,
        "epochs": len(training.history) or None,
        "steps": sum(steps) if steps and None not in steps else None,
        "hours": hours[-1] if hours else None,
        "seconds": training.seconds,
        "best_epoch": best.get("epoch"),
        "valid_si_sdri": (best.get("valid") or {}).get("si_sdri"),
        "amp": training.amp,
        "seed": training.loop.get("seed"),
        "config_hash": training.config_hash,
        "trained_commit": training.commit,
        "scored_commit": "; ".join(sorted(commits)) or None,
    }


def training_table(facts: list[dict[str, Any]]) -> Grid:
    """:func:`training_facts` of every system."""
    rows = tuple(
        (
            label(one["system"]),
            *(DASH if one[name] is None else f"{one[name]:,}" for name in ("effective_batch", "epochs", "steps")),
            number(one["hours"]),
            number(None if one["seconds"] is None else one["seconds"] / 60),
            DASH if one["best_epoch"] is None else str(one["best_epoch"]),
            number(one["valid_si_sdri"], 2),
            *(DASH if one[name] is None else str(one[name]) for name in ("amp", "seed", *_COMMITS)),
        )
        for one in facts
    )
    head = (
        *("System", "Mixtures per step", "Epochs", "Steps", "Hours of trials", "Minutes"),
        *("Best epoch", "Validation SI-SDRi, dB", "Precision", "Seed", "Settings", "Trained at", "Scored at"),
    )
    note = (
        "Hours of trials: segments times their length, a mixture counting for each of its targets, "
        "without epochs that learn from enrollments alone. "
        "Minutes: of all epochs with their validation. Validation: of the best epoch, whose weights extract."
    )
    return Grid("Trainings", head, rows, note=note)


def set_table(scored: list[Scored]) -> Grid:
    """What was scored: a row per set and distinct list of trials."""
    rows: dict[tuple[str, ...], None] = {}
    for one in scored:
        facts = one.facts
        texts = (facts.get(name) for name in ("mode", "targets", "list_hash"))
        counts = (str(facts[name]) for name in ("fs", "num_trials", "num_dropped"))
        rows.setdefault((one.set, *counts, *(DASH if text is None else str(text) for text in texts)))
    head = ("Set", "Rate, Hz", "Trials", "Dropped", "Mode", "Targets", "List")
    return Grid("Sets of trials", head, tuple(rows))


def versions_line(scored: list[Scored]) -> str:
    """Versions that the scoring noted; one line for all that agree, else each."""
    found = {", ".join(f"{k} {v}" for k, v in sorted((one.facts.get("versions") or {}).items())) for one in scored}
    return "; ".join(sorted(found - {""})) or DASH


def scored_facts(one: Scored) -> dict[str, Any]:
    """What scores.json says, for machines: of every group what the tables tell."""
    groups = [{**group, "metrics": _brief(group)} for group in one.facts["groups"]]
    return {**one.facts, "system": one.system, "set": one.set, "path": one.path, "groups": groups}


def _brief(group: dict[str, Any]) -> dict[str, Any]:
    names = ("mean", "interval", *(("speaker_interval",) if group["by"] == "all" else ()))
    return {
        metric: {name: entry[name] for name in names if name in entry}
        for metric, entry in group["metrics"].items()
        if metric in MEASURES
    }


def missing_trainings(scored: list[Scored], trainings: dict[str, Training]) -> list[str]:
    """Systems that were scored but have no history; a line each."""
    systems = dict.fromkeys(one.system for one in scored if one.system != MIXTURE)
    return [f"{system}: no history.jsonl, so no learning curve" for system in systems if not trainings[system].history]
