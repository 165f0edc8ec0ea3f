"""Scores of extracted speech, read from the folder of an experiment and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.cells import json_or_none

MIXTURE = "mixture"  # the "system" that leaves the mixture as it is

_LABELS = {MIXTURE: "Mixture", "spex_plus": "SpEx+", "zspex": "Z-SpEx"}
_FACTS = ("system", "set", "fs", "num_trials", "num_dropped", "list_hash", "groups")
_TRIAL = ("id", "target", "condition")
_SAME = 0.01  # s or dB between two measurements of the same files


def label(system: str) -> str:
    """What the pages call a system: the paper's name where there is one, else its folder in words.

    >>> label("zspex"), label("zspex_plain_fuser")
    ('Z-SpEx', 'zspex plain fuser')
    """
    return _LABELS.get(system, system.replace("_", " "))


def system_order(system: str) -> tuple[int, str]:
    """Sort key of systems: the mixture, SpEx+, Z-SpEx, then the others by name.

    >>> sorted(["zspex", "causal", "mixture", "spex_plus"], key=system_order)
    ['mixture', 'spex_plus', 'zspex', 'causal']
    """
    names = list(_LABELS)
    return (names.index(system) if system in names else len(names), system)


@dataclass(frozen=True)
class Scored:
    """What one system made of one set of trials."""

    system: str  # name of its folder; `mixture` is the unprocessed one
    set: str  # name of the set, as in data/trials_<set>
    path: str  # of its scores.json, relative to the experiment
    facts: dict[str, Any]  # scores.json
    trials: dict[str, dict[str, Any]]  # line of trials.jsonl by trial id

    def group(self, by: str = "all", value: str | None = None) -> dict[str, Any] | None:
        """The group of trials whose ``by`` is ``value`` (any if None); None if it was not scored."""
        groups = (g for g in self.facts["groups"] if g["by"] == by and value in (None, str(g["value"])))
        return next(groups, None)

    def mean(self, metric: str, by: str = "all", value: str | None = None) -> float | None:
        """Mean of a metric over a group; None if it was not computed."""
        group = self.group(by, value)
        return (((group or {}).get("metrics") or {}).get(metric) or {}).get("mean")

    def values(self, by: str) -> list[str]:
        """Values of the groups ``by``, in the order of the file."""
        return [str(group["value"]) for group in self.facts["groups"] if group["by"] == by]


def read_extraction_scores(exp: Path) -> list[Scored]:
    """All of ``exp/mixture/<set>/`` and ``exp/<system>/scores/<set>/``: sets by name, in each the mixture first.

    Raises:
        DataDirError: if there are none, or a file is broken or lacks a column.
    """
    paths = [*exp.glob("mixture/*/scores.json"), *exp.glob("*/scores/*/scores.json")]
    if not paths:
        raise DataDirError(
            f"{exp}: no scores.json in mixture/<set>/ or <system>/scores/<set>/; run the scoring stage first"
        )
    scored = [_read(path, exp) for path in paths]
    return sorted(scored, key=lambda one: (one.set, *system_order(one.system)))


def _read(path: Path, exp: Path) -> Scored:
    facts = json_or_none(path.read_text(encoding="utf-8"))
    missing = [name for name in _FACTS if not isinstance(facts, dict) or name not in facts]
    if missing:
        raise DataDirError(f"{path}: expected a JSON object with {', '.join(missing)}; remove it and score again")
    system = MIXTURE if path.parts[-3] == MIXTURE else path.parts[-4]
    return Scored(system, path.parts[-2], str(path.relative_to(exp)), facts, _read_trials(path.parent / "trials.jsonl"))


def _read_trials(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        raise DataDirError(f"{path}: no such file; score again")
    trials = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        trial = json_or_none(line)
        if not isinstance(trial, dict) or any(name not in trial for name in _TRIAL):
            raise DataDirError(f"{path}:{number}: expected an object with {', '.join(_TRIAL)}, got {line[:60]!r}")
        if trial["id"] in trials:
            raise DataDirError(f"{path}:{number}: trial '{trial['id']}' comes twice; score again")
        trials[trial["id"]] = trial
    return trials


def disagreements(scored: list[Scored]) -> list[str]:
    """Systems that were scored on other trials than the first of their set, which voids the comparison; a line each."""
    first: dict[str, Scored] = {}
    lines = []
    for one in scored:
        other = first.setdefault(one.set, one)
        ours, theirs = ((s.facts["list_hash"], s.facts["num_trials"]) for s in (one, other))
        if ours != theirs:
            lines.append(
                f"{one.set}: {other.path} has {theirs[1]} trials of list {theirs[0]}, "
                f"{one.path} has {ours[1]} of {ours[0]}"
            )
        elif changed := [utt for utt in one.trials if _is_other_audio(one.trials[utt], other.trials.get(utt, {}))]:
            lines.append(
                f"{one.set}: {other.path} and {one.path} were scored on other audio: length or SNR of {len(changed)} "
                f"trials differs, such as '{changed[0]}'"
            )
    return lines


def _is_other_audio(trial: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two lines of one trial differ in what was measured on its files; a line may lack a fact."""
    pairs = [(trial.get(name), other.get(name)) for name in ("seconds", "enrollment_seconds", "snr_db")]
    return any(None not in pair and abs(pair[0] - pair[1]) > _SAME for pair in pairs)
