"""Fit the presence score of an extractor, and find its usual gain and levels, on trials of which all is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from zspex_toolkit.config import dump_config
from zspex_toolkit.errors import UserError
from zspex_toolkit.extract import trials as extract_trials
from zspex_toolkit.extract.calibration import THRESHOLD, Calibration
from zspex_toolkit.extract.notes import TrialNote, read_notes
from zspex_toolkit.extract.trials import presence_of
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.table import read_table
from zspex_toolkit.tasks.extraction import read_extractor_spec

_FEWEST = 5  # trials of either kind


@dataclass(frozen=True)
class Config:
    """Settings of calibrate_presence."""

    model: Path  # experiment of an extractor
    data: Path  # trial directory with absent trials, of no speaker of the test
    out: Path | None = None  # folder of the extracted trials; <model>/extracted/<data> without it
    device: str = "auto"  # auto, cpu or cuda:N
    nj: int = 1  # number of processes on the CPU, of one thread each


def calibrate_presence(config: Config) -> Calibration:
    """Extract the trials, fit the score to them and write it into the experiment's ``model.yaml``.

    Present and absent trials weigh the same in total, so a score of 0.5 is the point of equal odds for a speaker of
    whom nothing is known. Trials of single speakers count as present.

    Returns:
        what was written.

    Raises:
        UserError: if there are too few trials of either kind.
    """
    model, data = config.model, config.data
    conditions = read_table(data / "utt2condition")
    present = {trial: condition != "absent" for trial, condition in conditions.items()}
    num_present = sum(present.values())
    if min(num_present, len(present) - num_present) < _FEWEST:
        raise UserError(
            f"{data}/utt2condition: expected at least {_FEWEST} trials with and {_FEWEST} without the enrolled "
            f"speaker (absent), found {num_present} and {len(present) - num_present}"
        )
    out = config.out or model / "extracted" / data.name.removeprefix("trials_")
    work = extract_trials.Config(model, data, out, config.device, config.nj)
    extract_trials.extract_trials(work, calibrated=False)  # so that fitting again changes nothing
    fitted = fit_presence(read_notes(out), present)
    spec = dataclasses.replace(read_extractor_spec(model), presence=fitted.stored())
    write_text(model / "model.yaml", dump_config(spec))
    print(f"{model}: {_account(fitted, read_notes(out), present)}")
    return fitted


def fit_presence(notes: Mapping[str, TrialNote], present: Mapping[str, bool]) -> Calibration:
    """The logistic function by regularised maximum likelihood on standardised features, and the rest by counting.

    Of a network that never tells how alike output and clue are, the energy alone decides.

    Args:
        notes: what was found of each trial.
        present: whether the enrolled speaker is in it.

    Raises:
        UserError: if there is no trial with the speaker whose output is not silent.
    """
    trials = sorted(present)
    rows = [_features(notes[trial]) for trial in trials]
    gains = [abs(notes[trial].gain) for trial in trials if present[trial] and notes[trial].gain]
    if not gains:
        raise UserError("the network's output is silent on every trial with the speaker; train it first")
    features = np.array(rows)
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    regression = LogisticRegression(class_weight="balanced")
    regression.fit((features - mean) / scale, [present[trial] for trial in trials])
    weights = regression.coef_[0] / scale
    bias = regression.intercept_[0] - weights @ mean
    # A few outliers must not widen the range of levels to what the network has hardly heard.
    levels = [level for trial in trials for level in (notes[trial].mixture_db, notes[trial].enrollment_db)]
    quietest, loudest = np.percentile([level for level in levels if level is not None], (2, 98))
    numbers = (bias, *weights, np.median(gains), quietest, loudest)
    return Calibration(*(round(float(number), 6) for number in numbers))


def _features(note: TrialNote) -> tuple[float, float]:
    """Of the chunk in which the output is loudest beside the mixture."""
    energy, like = max(zip(note.energy_db, note.likeness, strict=True), key=lambda chunk: chunk[0])
    return energy, like or 0.0


def _account(model: Calibration, notes: Mapping[str, TrialNote], present: Mapping[str, bool]) -> str:
    scores = {trial: presence_of(notes[trial], model) for trial in present}
    rejected = sum(scores[trial] < THRESHOLD for trial, there in present.items() if there)
    accepted = sum(scores[trial] >= THRESHOLD for trial, there in present.items() if not there)
    num_present = sum(present.values())
    return (
        f"presence score fitted to {len(present)} trials; at {THRESHOLD:g}, on these, it misses the speaker in "
        f"{rejected} of {num_present} and finds one in {accepted} of {len(present) - num_present} without"
    )
