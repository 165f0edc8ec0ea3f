"""The results page of a speech recogniser: RESULTS.md, and results.json with the same numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_json, write_text
from zspex_toolkit.report.cells import number
from zspex_toolkit.report.provenance import environment, environment_lines
from zspex_toolkit.report.trainings import read_training
from zspex_toolkit.tasks.recognition import load_recogniser

_HEAD = (
    "| Set | Speakers | Words | WER, % | 95 % interval | Substitutions | Deletions | Insertions | Real-time factor |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
)
_GENDERS = {"f": "women", "m": "men"}


@dataclass(frozen=True)
class Config:
    """Settings of report_recognition."""

    exp: Path  # experiment with recogniser/ and recognised/<set>/score/wer.json
    out: Path  # folder for RESULTS.md and results.json
    sets: tuple[str, ...]  # sets to report, in this order
    corpus: str  # name of the corpus
    command: str = ""  # command line that made the figures


def report_recognition(config: Config, *, now: datetime | None = None) -> dict[str, Any]:
    """Write the results of ``config.exp`` into ``config.out`` and print the table of error rates.

    Args:
        config: settings.
        now: date of the page; the present if None.

    Raises:
        DataDirError: if a score is missing or broken.
        UserError: if the recogniser is missing or broken.
    """
    folders = {name: config.exp / "recognised" / name for name in config.sets}
    scores = {name: _read(folder / "score" / "wer.json") for name, folder in folders.items()}
    speeds = {name: _read(folder / "speed.json") for name, folder in folders.items()}
    facts = environment(config.command, now=now)
    recogniser = _recogniser_facts(config.exp / "recogniser")
    table = [*_HEAD, *(line for name in config.sets for line in _rows(name, scores[name], speeds[name]))]
    page = [
        f"# Speech recognition on {config.corpus}",
        "",
        *environment_lines(facts),
        "",
        "Word error rate (WER): substituted, deleted and inserted words over the words that were said, both in the",
        "normal form of `zspex_toolkit/text/normalise.py`, aligned by kaldialign. The interval is over speakers.",
        "",
        *table,
        "",
        "## The recogniser",
        "",
        *_recogniser_lines(recogniser),
    ]
    write_text(config.out / "RESULTS.md", "".join(f"{line}\n" for line in page))
    results = {"environment": facts, "recogniser": recogniser, "sets": scores, "speed": speeds}
    write_json(config.out / "results.json", results)
    print("\n".join(table))
    return results


def _rows(name: str, score: Mapping[str, Any], speed: Mapping[str, Any]) -> list[str]:
    low, high = score["interval"]
    lines = [_row(name, score["speakers"], score, f"{low:.2f} to {high:.2f}", number(speed["real_time_factor"], 3))]
    for gender, found in score.get("gender", {}).items():
        lines.append(_row(f"{name}, {_GENDERS.get(gender, gender)}", "", found, "", ""))
    return lines


def _row(name: str, speakers: int | str, score: Mapping[str, Any], interval: str, factor: str) -> str:
    counts = [score[key] for key in ("substitutions", "deletions", "insertions")]
    cells = [name, speakers, score["words"], number(score["wer"], 2), interval, *counts, factor]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _recogniser_facts(folder: Path) -> dict[str, Any]:
    spec, _, network = load_recogniser(folder)
    training = read_training(folder)
    return {
        "network": spec.recogniser,
        "num_parameters": sum(parameter.numel() for parameter in network.parameters()),
        "num_tokens": spec.num_tokens,
        "epochs": len(training.history),
        "minutes": None if training.seconds is None else training.seconds / 60,
        "device": training.settings.get("device"),
        "commit": training.commit,
    }


def _recogniser_lines(facts: Mapping[str, Any]) -> list[str]:
    size = f"{facts['num_parameters']:,} parameters, {facts['num_tokens']} tokens"
    time = f"{facts['epochs']} epochs, {number(facts['minutes'])} minutes on {facts['device']}"
    return [f"- network: {facts['network']}, {size}", f"- training: {time}, commit {facts['commit']}"]


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataDirError(f"{path}: no such file; recognise and score_text write it")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataDirError(f"{path}: no JSON ({error}); run recognise and score_text again") from error
