"""What plans of mixtures and of trials have in common: fit utterances, levels, an id for each mixture, the file."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.processes import each_in_processes, map_in_processes
from zspex_toolkit.io.sorted_lines import SortedLines
from zspex_toolkit.io.table import write_table
from zspex_toolkit.prepare.render_mixtures import forget_rendering
from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.plan import Plan, Trial, to_line
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.speech import Speech

Draw = Callable[[Any], Sequence[Plan | Trial]]


def check_out(out: Path) -> None:
    """Refuse to plan into a data directory that no plan made.

    Raises:
        DataDirError: if ``out`` is one.
    """
    if (out / "utt2spk").exists() and not (out / "plan.jsonl").exists():
        raise DataDirError(f"{out}: is a data directory of something else; give the mixtures a folder of their own")


def fit_utterances(
    speech: Speech, min_utt_s: float, num_speakers: int, nj: int, *, least: int = 1
) -> tuple[Pool, dict[str, str]]:
    """The utterances that can be mixed, and why each other one cannot.

    Args:
        speech: what there is.
        min_utt_s: shorter ones are left out.
        num_speakers: that are needed.
        nj: number of processes.
        least: speakers with fewer utterances are left out.

    Raises:
        DataDirError: if there are several rates or too few speakers.
        AudioError: if audio is missing or broken.
    """
    utterances, utt2spk, fs = speech.utterances.utterances, speech.utterances.utt2spk, speech.fs
    found = map_in_processes(partial(_measure, speech), utterances, nj, label="utterances")
    lengths, dropped = {}, {}
    for utt, (num_samples, rate, silent) in zip(utterances, found, strict=True):
        if rate != fs:
            raise DataDirError(
                f"{speech.utterances.path}: expected one rate, found {fs} Hz ({utterances[0]}) and {rate} Hz ({utt});"
                " resample first"
            )
        if num_samples < min_utt_s * fs:
            dropped[utt] = f"shorter than {min_utt_s:g} s ({num_samples / fs:.2f} s)"
        elif silent:
            dropped[utt] = silent
        else:
            lengths[utt] = num_samples
    counts = Counter(utt2spk[utt] for utt in lengths)
    dropped |= {utt: "only usable one of its speaker" for utt in lengths if counts[utt2spk[utt]] < least}
    pool = Pool({utt: utt2spk[utt] for utt in lengths if utt not in dropped}, lengths)
    if len(pool.speakers) < num_speakers:
        raise DataDirError(
            f"{speech.utterances.path}: mixtures of {num_speakers} speakers need at least {num_speakers} speakers"
            f"{' with two utterances each' if least > 1 else ''}, found {len(pool.speakers)}"
            + (f" ({len(dropped)} utterances dropped: {_counted(dropped)})" if dropped else "")
        )
    return pool, dropped


def write_plan(
    out: Path, speech: Speech, draw: Draw, targets: Sequence[Any], dropped: dict[str, str], nj: int
) -> tuple[Counter[str], int, str]:
    """Draw a mixture for each target, set its levels, and write ``out/plan.jsonl``, unless it says the same already.

    What was rendered by another plan is forgotten. ``out/dropped.txt`` tells what is left out, if anything is.

    Args:
        out: folder of the plan.
        speech: what is mixed.
        draw: gives the plan of a target's mixture, or the trials that ask for its speakers.
        targets: what ``draw`` takes.
        dropped: utterances that were left out before, and why; mixtures that are silent where it counts are added.
        nj: number of processes.

    Returns:
        Number of lines by condition, number of mixtures, and what was dropped in words.

    Raises:
        DataDirError: if nothing is left, or two mixtures have one id: it is their utterances, joined by "_".
    """
    conditions: Counter[str] = Counter()
    seen, silent = set(), {}
    with SortedLines(out) as lines:
        for _, (mixture, reason, drawn) in each_in_processes(
            partial(_lines, speech, draw), targets, nj, label="mixtures"
        ):
            if mixture in seen:
                raise DataDirError(f"{mixture}: id of two mixtures; rename the utterances, without '_'")
            seen.add(mixture)
            if reason:
                silent[mixture] = reason
            for name, condition, line in drawn:
                lines.add(name, line)
                conditions[condition] += 1
        dropped |= {mixture: silent[mixture] for mixture in sorted(silent, key=str.encode)}
        if not lines:
            raise DataDirError(f"{out}: no mixture is left, all is dropped: {_counted(dropped)}")
        _write(out / "plan.jsonl", lines)
    (out / "dropped.txt").unlink(missing_ok=True)
    if dropped:
        write_table(out / "dropped.txt", dropped)
    told = f"{len(dropped)} dropped" + (f" ({_counted(dropped)}; see dropped.txt)" if dropped else "")
    return conditions, len(seen) - len(silent), told


def _measure(speech: Speech, utt: str) -> tuple[int, int, str]:
    """Length in samples, rate, and why the utterance counts as silent ("" if it does not)."""
    samples, fs = speech.utterances.read_audio(utt)
    if not power(samples) > 0:
        return len(samples), fs, "silent"
    if speech.voiced is not None and not power(samples[speech.mask(utt, len(samples))]) > 0:
        return len(samples), fs, "no voiced frame"
    return len(samples), fs, ""


def _lines(speech: Speech, draw: Draw, target: Any) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Id of a target's mixture, why it cannot be mixed ("" if it can), and id, condition and line of each plan."""
    drawn = draw(target)
    mixture = drawn[0].mixture if isinstance(drawn[0], Trial) else drawn[0]
    try:
        mixture = speech.render(mixture).plan
        for trial in drawn:
            if isinstance(trial, Trial) and trial.enrollment.passage.gain is not None:
                speech.enroll(trial.enrollment)  # a stretch of noise or speech may be silent
    except SilentSignalError as fault:
        return mixture.id, str(fault), []
    if not isinstance(drawn[0], Trial):
        return mixture.id, "", [(mixture.id, "mixture", to_line(mixture))]
    leveled = [dataclasses.replace(trial, mixture=mixture) for trial in drawn]
    return mixture.id, "", [(trial.id, trial.condition, to_line(trial)) for trial in leveled]


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    if not path.exists() or not _says(path, pieces):
        forget_rendering(path.parent)
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            stream.writelines(pieces)


def _says(path: Path, pieces: Iterable[bytes]) -> bool:
    with path.open("rb") as stream:
        return all(stream.read(len(piece)) == piece for piece in pieces) and not stream.read(1)


def _counted(dropped: Mapping[str, str]) -> str:
    """By kind: "2 silent, 1 shorter than 0.5 s"."""
    kinds = Counter(reason.partition(" (")[0] for reason in dropped.values())
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
