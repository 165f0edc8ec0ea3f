"""What was found of each trial while it was extracted, so that a killed run goes on where it stopped."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from zspex_toolkit.io.atomic import write_text

JOURNAL = "trials.jsonl"


@dataclass(frozen=True)
class TrialNote:
    """Of one trial.

    Attributes:
        id: the trial.
        energy_db: energy of the network's output over that of the mixture, in each chunk.
        likeness: how much the network finds its output like the clue, in each chunk; None where it cannot tell.
        gain: what makes the output as loud as the target in the mixture; None for silence.
        mixture_db, enrollment_db: levels where it is loud, in dB re full scale; None for silence.
        mixture_s: seconds of the mixture.
        compute_s: seconds that extraction took, clue and likeness included.
    """

    id: str
    energy_db: list[float]
    likeness: list[float | None]
    gain: float | None
    mixture_db: float | None
    enrollment_db: float | None
    mixture_s: float
    compute_s: float


def append_note(folder: Path, note: TrialNote) -> None:
    """Put a line into this process's own part of the journal."""
    with (folder / f"trials.{os.getpid()}.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(note)) + "\n")


def read_notes(folder: Path) -> dict[str, TrialNote]:
    """All notes by trial; a line that a killed process left unfinished is passed over."""
    notes = {}
    for path in [folder / JOURNAL, *sorted(folder.glob("trials.*.jsonl"))]:
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                note = TrialNote(**json.loads(line))
            except (json.JSONDecodeError, TypeError):
                continue
            notes[note.id] = note
    return notes


def merge_notes(folder: Path, notes: dict[str, TrialNote]) -> None:
    """Write the whole journal, sorted, in place of its parts."""
    lines = [json.dumps(asdict(notes[trial])) for trial in sorted(notes)]
    write_text(folder / JOURNAL, "".join(f"{line}\n" for line in lines))
    forget_parts(folder)


def forget_parts(folder: Path) -> None:
    """Remove the processes' own parts."""
    for path in folder.glob("trials.*.jsonl"):
        path.unlink()
