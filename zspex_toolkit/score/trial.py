"""Measure what came out of one trial."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from zspex_toolkit.errors import AudioError, DataDirError, UserError
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.listed_trial import ListedTrial
from zspex_toolkit.metrics.speech.si_sdr import si_sdr
from zspex_toolkit.registry import load
from zspex_toolkit.signal.level import power

DIGITS = 4  # behind the decimal point
TOLERANCE_DB = 0.01  # further apart, two SI-SDR are not of the same signals


@dataclass(frozen=True)
class Measures:
    """How trials are scored.

    Attributes:
        metrics: file names under ``metrics/speech``; si_sdr is among them.
        fs: rate of all audio in Hz.
    """

    metrics: tuple[str, ...]
    fs: int


class Job(NamedTuple):
    """One trial to be scored."""

    trial: ListedTrial
    output: str | None  # recording of the extracted speech; None scores the mixture itself
    presence: float | None  # probability that the enrolled speaker is in the mixture, as the system says
    mixture_values: Mapping[str, float]  # measures of the mixture that are known already


class Result(NamedTuple):
    """What came of it."""

    row: dict[str, Any]  # a line of trials.jsonl
    faults: list[str]  # what could not be measured and why


def score_trial(measures: Measures, job: Job) -> Result:
    """Score one trial.

    Raises:
        AudioError: if audio is missing, broken, of another rate, or not as long as the mixture.
        DataDirError: if the known measures are of another mixture.
    """
    if multiprocessing.parent_process() is not None:
        torch.set_num_threads(1)  # one process per processor is enough
    trial, fs = job.trial, measures.fs
    mixture = _read(trial.mixture, trial, fs)
    reference = _read(trial.reference, trial, fs, len(mixture))
    others = () if trial.interferer_reference is None else (trial.interferer_reference, *trial.more_interferers)
    interferers = [_read(other, trial, fs, len(mixture)) for other in others]
    output = mixture if job.output is None else _read(job.output, trial, fs, len(mixture))
    row = _facts(trial, mixture, reference, sum(interferers) if interferers else None, fs) | {"presence": job.presence}
    faults: list[str] = []
    row["energy_left_db"] = energy_left_db(output, mixture)
    row["silent"] = not np.ptp(output) > 0
    untouched = trial.condition == "single" and np.array_equal(output, reference)
    if trial.condition == "absent" or untouched:
        pass  # nothing to compare with, or nothing to find: the ratio to no distortion is infinite
    elif row["silent"]:
        faults.append(f"{trial.id}: the output is silent")
    else:
        _check_known(job, mixture, reference, fs)
        row |= _measure_all(measures, job, output, mixture, reference, faults)
        if trial.condition == "present" and interferers:  # of several, the one that the output is most like
            found = [_value(si_sdr, output, each, fs, f"{trial.id}: interferer", faults) for each in interferers]
            row["si_sdr_interferer"] = None if None in found else max(found)
    return Result({name: _rounded(value) for name, value in row.items()}, faults)


def _read(source: str, trial: ListedTrial, fs: int, num_samples: int | None = None) -> np.ndarray:
    try:
        samples, _ = read_audio(source, fs=fs)
    except AudioError as error:
        raise AudioError(f"{trial.id}: {error}") from error
    if num_samples is not None and len(samples) != num_samples:
        raise AudioError(
            f"{trial.id}: {source}: expected {num_samples} samples, as the mixture has, found {len(samples)}"
        )
    return samples


def _facts(
    trial: ListedTrial, mixture: np.ndarray, reference: np.ndarray, interferer: np.ndarray | None, fs: int
) -> dict[str, Any]:
    try:
        enrollment = audio_info(trial.enrollment)
    except AudioError as error:
        raise AudioError(f"{trial.id}: {error}") from error
    if enrollment.fs != fs:
        raise AudioError(f"{trial.id}: {trial.enrollment}: expected {fs} Hz, as the mixture, found {enrollment.fs} Hz")
    two = trial.condition == "present" and interferer is not None
    return {
        "id": trial.id,
        "mixture_id": trial.mixture_id,
        "target": trial.target,
        "interferer": trial.interferer,
        "target_gender": trial.target_gender,
        "interferer_gender": trial.interferer_gender,
        "pair": trial.pair,
        "condition": trial.condition,
        "enrolls_with_target": trial.enrolls_with_target,
        "seconds": len(mixture) / fs,
        "enrollment_seconds": enrollment.num_samples / fs,
        "snr_db": snr_db(reference, interferer) if two else None,
        "overlap": overlap(reference, interferer, fs) if two else None,
    }


def _measure_all(
    measures: Measures, job: Job, output: np.ndarray, mixture: np.ndarray, reference: np.ndarray, faults: list[str]
) -> dict[str, float | None]:
    """Each metric of the output (``sdr``), of the mixture (``sdr_mixture``) and the gain (``sdri``).

    Where the target speaks alone nothing is to be gained: the mixture is the target already.
    """
    values: dict[str, float | None] = {}
    for name in measures.metrics:
        metric, where = load("metrics.speech", name), f"{job.trial.id}: {name}"
        values[name] = value = _value(metric, output, reference, measures.fs, where, faults)
        if job.trial.condition == "single":
            continue
        before = value if job.output is None else job.mixture_values.get(name)
        if before is None and job.output is not None:
            before = _value(metric, mixture, reference, measures.fs, f"{where} of the mixture", faults)
        values[f"{name}_mixture"] = before
        values[f"{name}i"] = None if None in (value, before) else value - before
    return values


def _check_known(job: Job, mixture: np.ndarray, reference: np.ndarray, fs: int) -> None:
    """SI-SDR tells, at little cost, whether the measures were made of this mixture: ids and lengths do not."""
    known = job.mixture_values.get("si_sdr")
    found = None if known is None else _value(si_sdr, mixture, reference, fs, "", [])
    if found is not None and job.trial.condition == "present" and abs(found - known) > TOLERANCE_DB:
        raise DataDirError(
            f"{job.trial.id}: SI-SDR of the mixture is {found:.2f} dB, not {known:.2f} dB as scored before; "
            "score the mixtures again"
        )


def _value(
    metric: Callable, estimate: np.ndarray, reference: np.ndarray, fs: int, where: str, faults: list[str]
) -> float | None:
    try:
        return metric(estimate, reference, fs=fs)
    except UserError:  # a package or setting, not the trial
        raise
    except ValueError as fault:
        faults.append(f"{where}: {fault}")
        return None


def _rounded(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value


def snr_db(target: np.ndarray, interferer: np.ndarray) -> float | None:
    """Power of the target over that of the interferer in dB, over the samples that both reach over.

    A source reaches from its first sample that is not zero to its last: what it was padded with does not count. Where
    the two do not meet, all samples count.

    Args:
        target: (T,).
        interferer: (T,).

    Returns:
        None if one of the two is silent.

    >>> snr_db(np.array([0.0, 4.0, 1.0, 3.0]), np.array([1.0, 1.0, -1.0, 0.0]))    # 17 over 2 where both sound
    9.294189257142927
    """
    spans = [np.flatnonzero(signal)[[0, -1]] for signal in (target, interferer) if signal.any()]
    if len(spans) < 2:
        return None
    start, stop = max(spans[0][0], spans[1][0]), min(spans[0][1], spans[1][1]) + 1
    part = slice(start, stop) if stop > start else slice(None)
    powers = [power(signal[part]) for signal in (target, interferer)]
    if not all(powers):  # zeros within the common part of a signal that sounds elsewhere
        powers = [power(signal) for signal in (target, interferer)]
    return float(10 * np.log10(powers[0] / powers[1]))


def overlap(target: np.ndarray, interferer: np.ndarray, fs: int) -> float | None:
    """Share of the time in which the target sounds during which the interferer sounds too, 0 to 1.

    Args:
        target: (T,).
        interferer: (T,).
        fs: rate in Hz.

    Returns:
        None if the target is silent.

    >>> overlap(np.array([1.0, 1.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 1.0]), fs=50)
    0.25
    """
    sounds, disturbs = active_frames(target, fs), active_frames(interferer, fs)
    return float(disturbs[sounds].mean()) if sounds.any() else None


def energy_left_db(output: np.ndarray, mixture: np.ndarray, *, lowest: float = -100.0) -> float:
    """Energy of the output over that of the mixture in dB; ``lowest`` for whatever is below it, such as silence.

    >>> energy_left_db(np.array([0.1, -0.1]), np.array([1.0, 1.0])).__round__(6)
    -20.0
    """
    energies = power(output), power(mixture)
    if not all(energies):
        return lowest if energies[1] else 0.0
    return float(max(10 * np.log10(energies[0] / energies[1]), lowest))


def active_frames(samples: np.ndarray, fs: int) -> np.ndarray:
    """Frames of 20 ms whose energy is less than 40 dB below that of the loudest: the rule of STOI.

    They follow each other without overlap; the last may be shorter.

    Args:
        samples: (T,), clean speech; noise would count as sound.
        fs: rate in Hz.

    Returns:
        bool (L,), L = T over the frame's samples, rounded up; all False for silence.

    Reference: Taal et al., "An algorithm for intelligibility prediction of time-frequency weighted noisy speech",
        TASLP 19(7), 2011, Section II.

    >>> active_frames(np.array([1.0, -1.0, 0.02, 0.0, 0.005, 0.0, 0.0]), 100).tolist()    # 0, -37, -49 dB
    [True, True, False, False]
    """
    length = max(round(0.02 * fs), 1)
    samples = np.asarray(samples, dtype=np.float64)
    frames = np.pad(samples, (0, -len(samples) % length)).reshape(-1, length)
    energies = np.einsum("ij,ij->i", frames, frames)
    return energies > energies.max(initial=0.0) * 10**-4
