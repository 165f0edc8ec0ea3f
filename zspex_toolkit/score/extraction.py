"""Score extracted speech, or the mixtures as they are, on a list of trials."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from zspex_toolkit.errors import ConfigError, DataDirError, UserError
from zspex_toolkit.io.atomic import write_json, write_text
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.listed_trial import ListedTrial
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.revision import current_commit, installed_versions
from zspex_toolkit.io.table import read_table
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.registry import load
from zspex_toolkit.score.groups import summarise
from zspex_toolkit.score.similarity import SpeakerSimilarity
from zspex_toolkit.score.trial import DIGITS, Job, Measures, Result, score_trial
from zspex_toolkit.score.trials import list_hash, mixing_mode, read_trial_list, roles

LIBRARIES = ("torch", "numpy", "scipy", "soundfile", "torchmetrics", "pystoi", "pesq")
METRICS = ("si_sdr", "sdr", "stoi", "estoi")  # SI-SDR is measured in any case
SHOWN = ("si_sdr", "si_sdri", "sdri", "pesq", "stoi", "share_above_1_db", "confusion")


@dataclass(frozen=True)
class Config:
    """Settings of score_extraction."""

    data: Path  # trial directory
    extracted: Path  # folder with wav.scp of the outputs, as extract_trials writes it
    out: Path  # folder of scores.json and trials.jsonl
    metrics: tuple[str, ...] = METRICS  # file names in zspex_toolkit/metrics/speech
    system: str | None = None  # name of what is scored; that of the experiment which holds the outputs if unset
    mixture_scores: Path | None = None  # folder of score_mixtures for these trials: spares half of the work
    embedder: Path | None = None  # experiment of an x-vector, for the similarity of speakers; none: not measured
    exclude: Path | None = None  # file whose first column lists trials to leave out
    presence_threshold: float = 0.5  # a presence below it says that the enrolled speaker is not there
    max_dropped_share: float = 0.05  # share of the trials of which a measure may fail
    device: str = "auto"  # auto, cpu or cuda:N; for the embedder
    nj: int = 1  # number of processes


def score_extraction(config: Config) -> None:
    """Write ``out/trials.jsonl`` and ``out/scores.json``.

    Raises:
        ConfigError: if a setting is out of its range or a metric cannot be had at this rate.
        DataDirError: if the trials or the outputs are incomplete or broken.
        AudioError: if audio is missing, broken, of another rate, or an output is not as long as its mixture.
        UserError: if too many trials were dropped; the scores are written before.
    """
    data, extracted = config.data, config.extracted
    trials = read_trial_list(data, exclude=config.exclude)
    everyone = read_table(data / "utt2spk")
    outputs = _table(extracted / "wav.scp", trials, everyone, data)
    path = extracted / "presence"
    presence = _presence(path, _table(path, trials, everyone, data)) if path.exists() else {}
    known = _mixture_values(config.mixture_scores, trials) if config.mixture_scores else {}
    jobs = [Job(one, outputs[one.id], presence.get(one.id), known.get(one.id, {})) for one in trials]
    measured, results = _score(config, jobs, label=f"score {extracted}")
    header = {"system": config.system or system_of(extracted), **measured, **provenance(extracted)}
    _write(config, header, results, config.presence_threshold)


@dataclass(frozen=True)
class MixturesConfig:
    """Settings of score_mixtures."""

    data: Path  # trial directory
    out: Path  # folder of scores.json and trials.jsonl
    metrics: tuple[str, ...] = METRICS  # file names in zspex_toolkit/metrics/speech
    embedder: Path | None = None  # experiment of an x-vector, for the similarity of speakers; none: not measured
    exclude: Path | None = None  # file whose first column lists trials to leave out
    expected_si_sdr: float | None = None  # mean that is known for these mixtures, in dB; a warning if it is not found
    tolerance: float = 0.3  # how far off it may be, in dB
    max_dropped_share: float = 0.05  # share of the trials of which a measure may fail
    device: str = "auto"  # auto, cpu or cuda:N; for the embedder
    nj: int = 1  # number of processes


def score_mixtures(config: MixturesConfig) -> None:
    """Score the mixtures as if they were the output, by the code that scores outputs: what a system starts from.

    Further than ``tolerance`` from ``expected_si_sdr`` the mixtures are probably others: a loud warning. The mean is 0
    for both roles of a set whose mixtures were cut to the shorter source.

    Raises:
        As :func:`score_extraction`.
    """
    jobs = [Job(trial, None, None, {}) for trial in read_trial_list(config.data, exclude=config.exclude)]
    measured, results = _score(config, jobs, label=f"score {config.data}")
    header = {"system": "mixture", **measured, **provenance(None)}
    if config.expected_si_sdr is not None:
        header["expected_si_sdr"] = config.expected_si_sdr
    scores = _write(config, header, results, 0.5)
    if config.expected_si_sdr is not None:
        _compare(scores, config.data, config.expected_si_sdr, config.tolerance)


def _score(config: Config | MixturesConfig, jobs: list[Job], *, label: str) -> tuple[dict[str, Any], list[Result]]:
    """What the scores say of the trials and their measures, and the measures."""
    trials = [job.trial for job in jobs]
    measures = _measures(config.metrics, trials)
    results = map_in_processes(partial(score_trial, measures), jobs, config.nj, label=label)
    if config.embedder is not None:
        _add_similarity(results, jobs, config, measures.fs)
    header = {
        "set": config.data.name.removeprefix("trials_"),
        "fs": measures.fs,
        "mode": mixing_mode(config.data),
        "targets": roles(trials),
        "metrics": list(measures.metrics),
        "list_hash": list_hash(trials),
        "versions": installed_versions(LIBRARIES),
    }
    return header, results


def _compare(scores: dict[str, Any], data: Path, expected: float, tolerance: float) -> None:
    found = scores["groups"][0]["metrics"].get("si_sdr", {}).get("mean", math.nan)
    if abs(found - expected) <= tolerance:
        print(f"{data}: SI-SDR of the mixtures {found:.2f} dB, as expected ({expected:g} dB)", flush=True)
        return
    bar = "!" * 80
    print(
        f"{bar}\n{data}: SI-SDR of the unprocessed mixtures is {found:.2f} dB, expected {expected:g} dB to within "
        f"{tolerance:g} dB.\nThese are not the mixtures that others report on: check rate, min or max mode, gains and "
        f"list before you train.\n{bar}",
        file=sys.stderr,
        flush=True,
    )


def _measures(metrics: tuple[str, ...], trials: list[ListedTrial]) -> Measures:
    """The metrics, each tried on a second of noise, so that a missing package shows before the work begins."""
    names = tuple(dict.fromkeys(("si_sdr", *metrics)))
    functions = {name: load("metrics.speech", name) for name in names}
    fs = audio_info(trials[0].mixture).fs
    reference, noise = rng_for(0, "test signal").standard_normal((2, fs))
    for name, function in functions.items():
        try:
            function(reference + noise, reference, fs=fs)
        except UserError:
            raise
        except ValueError as fault:
            raise ConfigError(f"metrics: {name} fails on a test signal at {fs} Hz: {fault}") from fault
    return Measures(names, fs)


def _table(path: Path, trials: list[ListedTrial], everyone: dict[str, str], data: Path) -> dict[str, str]:
    """A table of outputs, which must have all trials and no others."""
    if not path.exists():
        raise DataDirError(f"{path}: no such file; extract_trials writes it")
    table = read_table(path)
    missing = [trial.id for trial in trials if trial.id not in table]
    if missing:
        raise DataDirError(
            f"{path}: no line for '{missing[0]}' ({len(missing)} of {len(trials)} trials); extract again"
        )
    strange = [name for name in table if name not in everyone]
    if strange:
        raise DataDirError(f"{path}: '{strange[0]}' is no trial of {data}; was it extracted from another list?")
    return table


def _presence(path: Path, table: dict[str, str]) -> dict[str, float]:
    values = {}
    for name, text in table.items():
        try:
            values[name] = float(text)
        except ValueError:
            values[name] = math.nan
        if not 0 <= values[name] <= 1:
            raise DataDirError(f"{path}: '{name}': expected a probability from 0 to 1, got '{text}'")
    return values


def _mixture_values(folder: Path, trials: list[ListedTrial]) -> dict[str, dict[str, float]]:
    """Measures of the mixtures by trial, from what :func:`score_mixtures` wrote for this very list."""
    header, rows = folder / "scores.json", folder / "trials.jsonl"
    try:
        found = json.loads(header.read_text(encoding="utf-8"))["list_hash"]
        lines = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DataDirError(f"{folder}: expected scores.json and trials.jsonl of score_mixtures ({fault})") from fault
    if found != list_hash(trials):
        raise DataDirError(f"{header}: of another list of trials ({found}, not {list_hash(trials)}); score them again")
    return {row["id"]: {name: value for name, value in row.items() if type(value) is float} for row in lines}


def _add_similarity(results: list[Result], jobs: list[Job], config: Config | MixturesConfig, fs: int) -> None:
    """Cosines to the enrollment: of the output, the mixture, the target's and the interferer's clean speech."""
    recordings = []
    for trial, output, *_ in jobs:
        clean = None if trial.condition == "absent" else trial.reference
        found = {"": output or trial.mixture, "_mixture": trial.mixture, "_target": clean}
        recordings.append(found | {"_interferer": trial.interferer_reference})
    sources = [source for found in recordings for source in found.values() if source]
    enrollments = [job.trial.enrollment for job in jobs]
    similarity = SpeakerSimilarity(config.embedder, [*sources, *enrollments], fs=fs, device=config.device, nj=config.nj)
    for result, found, enrollment in zip(results, recordings, enrollments, strict=True):
        for ending, source in found.items():
            value = similarity(source, enrollment) if source else None
            result.row[f"similarity{ending}"] = None if value is None else round(value, DIGITS)
        for source in (found[""], enrollment):
            if source in similarity.faults:
                result.faults.append(f"{result.row['id']}: similarity: {source} is {similarity.faults[source]}")


def _write(
    config: Config | MixturesConfig, header: dict[str, Any], results: list[Result], threshold: float
) -> dict[str, Any]:
    out = config.out
    rows = sorted((result.row for result in results), key=lambda row: row["id"].encode())
    faults = [fault for result in results for fault in result.faults]
    num_dropped = sum(bool(result.faults) for result in results)
    counts = {"num_trials": len(rows), "num_dropped": num_dropped, "dropped": sorted(faults)}
    scores = header | counts | {"groups": summarise(rows, threshold=threshold)}
    write_text(out / "trials.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_json(out / "scores.json", scores)
    found = scores["groups"][0]["metrics"]
    shown = ", ".join(f"{name} {found[name]['mean']:.3f}" for name in SHOWN if name in found)
    print(f"{out}: {header['system']}, {len(rows)} trials, {num_dropped} with a measure dropped: {shown}", flush=True)
    if num_dropped > config.max_dropped_share * len(rows):
        raise UserError(
            f"{out}/scores.json: a measure failed on {num_dropped} of {len(rows)} trials, more than "
            f"{100 * config.max_dropped_share:g} %; the first: {scores['dropped'][0]}"
        )
    return scores


# What extract_trials measures, and the scores repeat.
COSTS = ("num_parameters", "macs_per_second", "real_time_factor", "peak_memory_mib", "embedding_dim", "device")


def system_of(extracted: Path) -> str:
    """Name of the system whose output lies in ``extracted``: its experiment's folder, else the folder itself.

    >>> system_of(Path("exp/tse/zspex/extracted/test")), system_of(Path("other/outputs"))
    ('zspex', 'outputs')
    """
    return extracted.absolute().parents[1].name if extracted.parent.name == "extracted" else extracted.name


def provenance(extracted: Path | None) -> dict[str, Any]:
    """Hash of the system's settings, seed of its training, commit of this scoring and cost; None where not known.

    Args:
        extracted: folder of the outputs; None if there is no system.

    Raises:
        DataDirError: if ``extraction.json`` or the experiment's ``config.yaml`` is broken.
    """
    facts: dict[str, Any] = {"config_hash": None, "seed": None, "commit": current_commit()} | dict.fromkeys(COSTS)
    if extracted is None:
        return facts
    cost = extracted / "extraction.json"
    if cost.exists():
        measured = _mapping(cost, json.loads)
        facts |= {name: measured.get(name) for name in COSTS}
    settings = extracted.absolute().parents[1] / "config.yaml"
    if extracted.parent.name == "extracted" and settings.exists():
        facts["config_hash"] = hashlib.sha256(settings.read_bytes()).hexdigest()[:12]
        facts["seed"] = (_mapping(settings, yaml.safe_load).get("train") or {}).get("seed")
    return facts


def _mapping(path: Path, parse) -> dict[str, Any]:
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as fault:
        raise DataDirError(f"{path}: broken ({' '.join(str(fault).split())}); make it again") from fault
    if not isinstance(found, dict):
        raise DataDirError(f"{path}: expected names and values, got {type(found).__name__}")
    return found
