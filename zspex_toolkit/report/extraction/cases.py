"""The trials that a page lets its reader hear, chosen by rank and never by ear, and what it plays and shows of each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.report.extraction.audio import audio_uri, power_db, spectrogram_uri
from zspex_toolkit.report.extraction.scores import MIXTURE, Scored, label
from zspex_toolkit.report.extraction.tables import figure

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

_PEAK = 0.9  # of the loudest sample of a case


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
    first = {case.trial: case for case in reversed(cases)}
    return [case for case in cases if first[case.trial] is case]


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


@dataclass(frozen=True)
class Clip:
    """One column of a case."""

    heading: str
    audio: str  # data URI
    image: str  # data URI
    seconds: float  # played
    high_khz: float  # top of the spectrogram
    figures: tuple[str, ...]  # of this trial


@dataclass(frozen=True)
class PlayedCase:
    """One case of the page."""

    case: Case
    facts: str  # of the trial
    clips: list[Clip]


# Where the audio of a system on a set lies: the data directory of the trials, and the folder of what was extracted.
Folders = Callable[[Scored], tuple[Path, Path]]


def play_case(case: Case, scored: list[Scored], folders: Folders, seconds: float) -> PlayedCase:
    """Read the audio of a case.

    Args:
        case: the trial.
        scored: systems shown, the mixture first if it was scored.
        folders: where the audio lies.
        seconds: longer recordings are cut after this.

    Raises:
        DataDirError, AudioError: if a recording is missing or broken.
    """
    line = next(one.trials[case.trial] for one in scored if case.trial in one.trials)
    sounds = _read(case, line, scored, folders)
    fs = sounds["Mixture"][1]
    enrollment = sounds.pop("Enrollment")
    for heading, (_, found) in {**sounds, "Enrollment": enrollment}.items():
        if found != fs:
            raise DataDirError(f"{case.trial}: {heading} has {found} Hz, the mixture {fs} Hz")
    cut = round(seconds * fs)
    clips = _clips({heading: samples[:cut] for heading, (samples, _) in sounds.items()}, fs)
    clips |= _clips({"Enrollment": enrollment[0][:cut]}, fs)
    figures = _figures(case, scored)
    return PlayedCase(
        case, _facts(line), [Clip(heading, *clips[heading], figures.get(heading, ())) for heading in clips]
    )


def _read(case: Case, line: dict[str, Any], scored: list[Scored], folders: Folders) -> dict:
    """Heading -> (samples, rate), in the order of the columns."""
    data = DataDir.load(folders(scored[0])[0])
    sounds = {"Mixture": data.read_audio(case.trial)}
    for one in scored:
        if one.system != MIXTURE:
            sounds[label(one.system)] = DataDir.load(folders(one)[1]).read_audio(case.trial)
    if line["condition"] != "absent":
        sounds["Ground truth"] = _from_table(data, "spk1.scp", case.trial)
    sounds["Enrollment"] = _from_table(data, "enroll_spk1.scp", case.trial)
    return sounds


def _from_table(data: DataDir, name: str, utt: str) -> tuple[np.ndarray, int]:
    table = data.table(name)
    if utt not in table:
        raise DataDirError(f"{data.path / name}: no line for '{utt}'")
    return read_audio(table[utt])


def _clips(sounds: dict[str, np.ndarray], fs: int) -> dict[str, tuple[str, str, float, float]]:
    """One gain and one scale of colours for all, so that levels can be compared by ear and eye."""
    gain = _PEAK / max(*(float(np.abs(samples).max(initial=0)) for samples in sounds.values()), 1e-4)
    top = max(float(power_db(samples, fs).max()) for samples in sounds.values())
    return {
        heading: (
            audio_uri(samples, fs, gain),
            spectrogram_uri(samples, fs, top),
            len(samples) / fs,
            fs / 2000,
        )
        for heading, samples in sounds.items()
    }


def _facts(line: dict[str, Any]) -> str:
    """What is known of the trial before anything is extracted."""
    parts = [f"target {line['target']}", f"trial {line['id']}"]
    if line.get("interferer"):
        parts.insert(1, f"interferer {line['interferer']}")
    for name, text in (("snr_db", "SNR {:+.1f} dB"), ("enrollment_seconds", "enrollment {:.1f} s")):
        if line.get(name) is not None:
            parts.append(text.format(line[name]))
    if line.get("overlap") is not None:
        parts.append(f"overlap {100 * line['overlap']:.0f} %")
    return ", ".join(parts)


def _figures(case: Case, scored: list[Scored]) -> dict[str, tuple[str, ...]]:
    """Scores of this trial below each column."""
    found = {}
    for one in scored:
        line = one.trials.get(case.trial, {})
        if line.get("silent"):
            found[label(one.system)] = ("silent",)
            continue
        if line.get("condition") == "absent":
            parts = [("energy left", "energy_left_db", " dB")]
        elif one.system == MIXTURE:
            parts = [("SI-SDR", "si_sdr", " dB")]
        else:
            parts = [("SI-SDR", "si_sdr", " dB"), ("improvement", "si_sdri", " dB"), ("PESQ", "pesq", "")]
        found[label(one.system)] = tuple(
            f"{name} {figure(key, line[key])}{unit}" for name, key, unit in parts if line.get(key) is not None
        )
    return found
