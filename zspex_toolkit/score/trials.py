"""The trials of a data directory as a scorer sees them: files, speakers, conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.listed_trial import ListedTrial
from zspex_toolkit.io.table import read_table
from zspex_toolkit.simulation.plan import CONDITIONS, read_trials

LEAKS = "enroll_is_target"  # trials whose enrollment is the target utterance itself; a public list may have some
_GENDERS = {"m": "male", "f": "female"}


def read_trial_list(data: Path, *, exclude: Path | None = None) -> list[ListedTrial]:
    """The trials of the directory ``data``, in its order.

    Args:
        data: trial directory: ``wav.scp``, ``spk1.scp``, ``enroll_spk1.scp`` and ``utt2spk``; where they are there,
            ``spk2.scp``, ``utt2spk2``, ``spk2gender``, ``utt2condition`` (all present without it), ``utt2mixture``
            and ``enroll_is_target``.
        exclude: file whose first column lists trials to leave out.

    Raises:
        DataDirError: if a table is missing, broken or lacks a trial, a condition is unknown, the list to leave out
            names a trial that is not there, or nothing is left.
    """
    directory = DataDir.load(data)
    needed = {name: _needed(directory, name) for name in ("wav.scp", "spk1.scp", "enroll_spk1.scp")}
    others = {
        name: read_table(data / name) if (data / name).exists() else {}
        for name in ("spk2.scp", "utt2spk2", "spk2gender", "utt2condition", "utt2mixture", LEAKS)
    }
    more = [read_table(path) for path in sorted(data.glob("spk[3-9].scp"))]
    says_leaks = (data / LEAKS).exists()
    left_out = _left_out(exclude, directory)
    trials = []
    for name in directory.utterances:
        condition = others["utt2condition"].get(name, "present")
        if condition not in CONDITIONS:
            raise DataDirError(
                f"{data}/utt2condition: '{name}': expected one of {', '.join(CONDITIONS)}, got '{condition}'"
            )
        if name in left_out:
            continue
        target, interferer = directory.utt2spk[name], others["utt2spk2"].get(name)
        genders = [_GENDERS.get(others["spk2gender"].get(spk or "", "")) for spk in (target, interferer)]
        trials.append(
            ListedTrial(
                id=name,
                mixture_id=others["utt2mixture"].get(name, needed["wav.scp"][name]),
                target=target,
                interferer=interferer,
                target_gender=genders[0],
                interferer_gender=genders[1],
                condition=condition,
                mixture=needed["wav.scp"][name],
                reference=needed["spk1.scp"][name],
                interferer_reference=others["spk2.scp"].get(name),
                more_interferers=tuple(table[name] for table in more if name in table),
                enrollment=needed["enroll_spk1.scp"][name],
                enrolls_with_target=name in others[LEAKS] if says_leaks else None,
            )
        )
    if not trials:
        raise DataDirError(f"{exclude}: leaves no trial of {data}")
    return trials


def list_hash(trials: Sequence[ListedTrial]) -> str:
    """What identifies the list: trials, speakers and conditions, and the names of the files but not their folders."""
    lines = (
        f"{trial.id} {trial.target} {trial.interferer} {trial.condition} "
        f"{Path(trial.mixture).stem} {Path(trial.enrollment).stem}\n"
        for trial in trials
    )
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()[:12]


def roles(trials: Sequence[ListedTrial]) -> str:
    """Who is asked for: of each mixture ``both`` speakers or ``all`` three in turn, ``one``, or ``some``."""
    asked: dict[str, set[str]] = {}
    for trial in trials:
        if trial.condition == "present":
            asked.setdefault(trial.mixture_id, set()).add(trial.target)
    counts = {len(speakers) for speakers in asked.values()}
    return {(3,): "all", (2,): "both", (1,): "one"}.get(tuple(counts), "some")


def mixing_mode(data: Path) -> str | None:
    """How the mixtures were cut by the plan: ``min``, all sources reach over all of them, or ``max``; None unplanned.

    Raises:
        DataDirError: if ``plan.jsonl`` is broken.
    """
    path = data / "plan.jsonl"
    if not path.exists():
        return None
    mixtures = [trial.mixture for trial in read_trials(path)]
    whole = all(source.num_samples == mixture.num_samples for mixture in mixtures for source in mixture.sources)
    return "min" if whole else "max"


def _needed(directory: DataDir, name: str) -> dict[str, str]:
    path = directory.path / name
    if not path.exists():
        raise DataDirError(f"{path}: no such file; expected a directory of trials, as render_trials makes it")
    table = read_table(path)
    missing = [trial for trial in directory.utterances if trial not in table]
    if missing:
        raise DataDirError(f"{path}: no line for '{missing[0]}' ({len(missing)} such trials)")
    return table


def _left_out(exclude: Path | None, directory: DataDir) -> set[str]:
    if exclude is None:
        return set()
    if not exclude.is_file():
        raise DataDirError(f"{exclude}: no such file; expected a list of trials to leave out")
    names = [line.split()[0] for line in read_lines(exclude) if line.strip()]
    unknown = [name for name in names if name not in directory.utt2spk]
    if unknown:
        raise DataDirError(f"{exclude}: '{unknown[0]}' is no trial of {directory.path} ({len(unknown)} such lines)")
    return set(names)
