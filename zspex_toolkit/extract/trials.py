"""Extract the target of every trial of a trial directory, and tell what that cost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from zspex_toolkit.data.extraction_trials import ENROLLMENT, GIVEN_CLUE
from zspex_toolkit.errors import AudioError, ConfigError, DataDirError, UserError
from zspex_toolkit.extract.calibration import Calibration, energy_db
from zspex_toolkit.extract.clue_sources import read_clue
from zspex_toolkit.extract.cost import extraction_cost, peak_memory_mib
from zspex_toolkit.extract.extractor import LEVEL_FRAME_S, Extractor
from zspex_toolkit.extract.notes import TrialNote, append_note, forget_parts, merge_notes, read_notes
from zspex_toolkit.extract.packed_model import weights_path
from zspex_toolkit.extract.separation import Separation, separate_blocks
from zspex_toolkit.extract.shipped_models import model_folder
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.audio import audio_info, read_audio, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.file_name import file_name_of
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.source_mark import digest_of_sources
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.signal.level import active_power
from zspex_toolkit.train.device import resolve_device

FACTS = "extraction.json"
_MADE_FROM = "made_from.json"


@dataclass(frozen=True)
class Trial:
    """One trial: its id, its mixture, its enrollment (or embedding), the mixture's samples and the file to write."""

    id: str
    mixture: str
    enrollment: str
    num_samples: int
    output: Path


@dataclass(frozen=True)
class Config:
    """Settings of extract_trials."""

    model: Path  # experiment of an extractor, a packed model, or a name of zspex models
    data: Path  # trial directory
    out: Path  # folder to write: wav, wav.scp, utt2spk, presence, extraction.json
    device: str = "auto"  # auto, cpu or cuda:N
    nj: int = 1  # number of processes on the CPU, of one thread each
    batch_size: int = 8  # most trials that a GPU takes at once; only mixtures of one length share a batch


def extract_trials(config: Config, *, calibrated: bool = True) -> None:
    """Write the extracted voice of each trial, and the tables and figures that scoring and report need.

    The voices, and the presence, are those that ``zspex extract`` gives. Only mixtures of one length share a batch:
    padding would change what the networks normalise by, and a trial's result would depend on its neighbours.

    What an earlier run of the same model and trials finished is kept.

    Args:
        config: ``data`` has ``wav.scp``, ``utt2spk`` and ``enroll_spk1.scp``, or ``clue_spk1.scp`` for a network that
            takes embeddings from elsewhere; ``out`` gets ``wav/<trial>.wav``, ``wav.scp``, ``utt2spk``, ``presence``
            (where the model is calibrated), ``trials.jsonl`` and ``extraction.json``.
        calibrated: use the model's calibration, if it has one.

    Raises:
        UserError: if model, trials or audio are missing or broken; what is finished is kept.
    """
    model, out, nj, place = model_folder(config.model), config.out, config.nj, resolve_device(config.device)
    if config.batch_size < 1 or nj < 1:
        raise ConfigError(f"expected nj and batch_size of 1 or more, got {nj} and {config.batch_size}")
    if nj > 1 and place.type == "cuda":
        raise ConfigError(f"nj: expected 1 on a GPU, got {nj}; a larger batch_size fills it")
    refuse_overwriting("out", out, [config.data, model])
    directory = DataDir.load(config.data)
    _loaded.cache_clear()  # the folder may hold another model by now
    # On the CPU: no process that is forked may hold a GPU.
    extractor = _loaded(_Model(model, "cpu", calibrated, one_thread=False))
    trials = _trials(directory, out, GIVEN_CLUE if extractor.network.clue_dim else ENROLLMENT)
    _keep_or_remove(out, _made_from(model, extractor.calibration, trials))
    notes = read_notes(out)
    missing = [trial for trial in trials if trial.id not in notes or not _is_complete(trial)]
    batches = list(_batches(missing, config.batch_size if place.type == "cuda" else 1))
    work = partial(_extract_batch, _Model(model, str(place), calibrated, one_thread=nj > 1), out)
    peaks = map_in_processes(work, batches, nj, label=f"extract {config.data.name}")
    notes = read_notes(out)
    merge_notes(out, {trial.id: notes[trial.id] for trial in trials})
    _write_tables(out, directory, trials, notes, extractor.calibration)
    if missing or not (out / FACTS).exists():
        write_json(out / FACTS, _facts(extractor, notes, missing, place, nj, max(peaks, default=0.0)))
    kept = len(trials) - len(missing)
    print(f"{out}: {len(trials)} trials in, {len(missing)} extracted, {kept} already there, 0 dropped")


@dataclass(frozen=True)
class _Model:
    """What a process needs to load the model; :func:`_loaded` does, once."""

    folder: Path
    device: str
    calibrated: bool
    one_thread: bool


@lru_cache(maxsize=1)
def _loaded(model: _Model) -> Extractor:
    if model.one_thread:
        torch.set_num_threads(1)
    extractor = Extractor.load(model.folder, device=model.device)
    if not model.calibrated:
        extractor.calibration = None
    return extractor


def _trials(directory: DataDir, out: Path, clue_table: str) -> list[Trial]:
    if clue_table == GIVEN_CLUE and not (directory.path / GIVEN_CLUE).exists():
        raise DataDirError(
            f"{directory.path / GIVEN_CLUE}: no such file, but this network takes embeddings from elsewhere; "
            "'zspex enroll --embedder ... --data ...' makes it"
        )
    enrollments = directory.table(clue_table)
    for name, table in (("wav.scp", directory.wavs), (clue_table, enrollments)):
        lacking = [trial for trial in directory.utterances if trial not in table]
        if lacking:
            raise DataDirError(f"{directory.path / name}: no line for trial '{lacking[0]}'")
    lengths = directory.counts("utt2num_samples") if (directory.path / "utt2num_samples").exists() else {}
    return [
        Trial(
            trial,
            directory.wavs[trial],
            enrollments[trial],
            lengths[trial] if trial in lengths else audio_info(directory.wavs[trial]).num_samples,
            out / "wav" / f"{file_name_of(trial)}.wav",
        )
        for trial in directory.utterances
    ]


def _batches(trials: Sequence[Trial], batch_size: int) -> Iterator[list[Trial]]:
    """Trials of one length together, the longest first: memory that is not enough shows at once."""
    batch: list[Trial] = []
    for trial in sorted(trials, key=lambda trial: (-trial.num_samples, trial.id)):
        if batch and (len(batch) == batch_size or trial.num_samples != batch[0].num_samples):
            yield batch
            batch = []
        batch.append(trial)
    if batch:
        yield batch


def _extract_batch(model: _Model, out: Path, batch: list[Trial]) -> float:
    """Extract, write and note a batch; the most memory that this process has taken so far, in MiB."""
    extractor = _loaded(model)
    fs, usual = extractor.fs, extractor.calibration.usual_gain if extractor.calibration else None
    mixtures = np.stack([_read(trial.id, trial.mixture, fs) for trial in batch], axis=1)  # (T, B)
    mixtures = mixtures - mixtures.mean(axis=0, dtype=np.float64).astype(np.float32)
    gains = np.array([extractor.input_gain([mixture[:, None]], fs) for mixture in mixtures.T])
    enrollments = None
    if not extractor.network.clue_dim:
        enrollments = [_read(trial.id, trial.enrollment, fs) for trial in batch]
    began = time.perf_counter()
    clue = Clue.cat([_clue(extractor, trial, enrollments and enrollments[i]) for i, trial in enumerate(batch)])
    # A trial for each channel: what is said of a recording holds for each of its channels alone.
    separation = separate_blocks(extractor, [mixtures], len(mixtures), clue, [], input_gain=gains)
    voices = np.concatenate(list(separation.blocks(as_mixture=True, usual_gain=usual)))  # (T, B)
    seconds = (time.perf_counter() - began) / len(batch)
    for index, trial in enumerate(batch):
        signal = voices[:, index]
        write_audio(trial.output, signal / max(1.0, float(np.abs(signal).max())), fs)
        sounds = (mixtures[:, index], enrollments[index] if enrollments else None)
        append_note(out, _note(trial.id, separation, index, sounds, fs, seconds))
    return peak_memory_mib(extractor.device)


def _clue(extractor: Extractor, trial: Trial, enrollment: np.ndarray | None) -> Clue:
    try:
        return read_clue(extractor, trial.enrollment) if enrollment is None else extractor.enroll(enrollment)
    except UserError as error:
        raise type(error)(f"{trial.id}: {error}") from error


def _note(
    trial: str,
    separation: Separation,
    column: int,
    sounds: tuple[np.ndarray, np.ndarray | None],
    fs: int,
    seconds: float,
) -> TrialNote:
    energies, like = separation.energies, separation.likeness[:, column]
    mixture, estimate, product = (getattr(energies, name)[:, column] for name in ("mixture", "estimate", "product"))
    mixture_db, enrollment_db = (None if sound is None else _level_db(sound, fs) for sound in sounds)
    return TrialNote(
        trial,
        energy_db(estimate, mixture).tolist(),
        [None if np.isnan(one) else float(one) for one in like],
        float(product.sum() / estimate.sum()) if estimate.sum() > 0 else None,
        mixture_db,
        enrollment_db,
        len(sounds[0]) / fs,
        seconds,
    )


def _level_db(samples: np.ndarray, fs: int) -> float | None:
    power = active_power([samples[:, None] - samples.mean()], round(LEVEL_FRAME_S * fs))
    return float(10 * np.log10(power)) if power > 0 else None


def _read(trial: str, source: str, fs: int) -> np.ndarray:
    try:
        return read_audio(source, fs=fs)[0]
    except AudioError as error:
        raise AudioError(f"{trial}: {error}") from error


def _is_complete(trial: Trial) -> bool:
    try:
        return audio_info(trial.output).num_samples == trial.num_samples
    except AudioError:
        return False


def _made_from(model: Path, calibration: Calibration | None, trials: Sequence[Trial]) -> dict[str, object]:
    """What decides on the samples that are written: not the coefficients of the presence score."""
    lines = "".join(f"{trial.id} {trial.mixture} {trial.enrollment} {trial.num_samples}\n" for trial in trials)
    lines += digest_of_sources(source for trial in trials for source in (trial.mixture, trial.enrollment))
    names = ("usual_gain", "quietest_db", "loudest_db")
    return {
        "weights": hashlib.sha256(weights_path(model).read_bytes()).hexdigest(),
        "trials": hashlib.sha256(lines.encode()).hexdigest(),
        **({name: getattr(calibration, name) for name in names} if calibration else {}),
    }


def _keep_or_remove(out: Path, made_from: dict[str, object]) -> None:
    """Remove what another model or other trials left in ``out``."""
    mark = out / _MADE_FROM
    if mark.exists() and json.loads(mark.read_text(encoding="utf-8")) != made_from:
        mark.unlink()
        shutil.rmtree(out / "wav", ignore_errors=True)
        forget_parts(out)
        for name in ("trials.jsonl", "wav.scp", "utt2spk", "spk2utt", "presence", FACTS):
            (out / name).unlink(missing_ok=True)
    write_json(mark, made_from)


def _write_tables(
    out: Path, directory: DataDir, trials: Sequence[Trial], notes: Mapping[str, TrialNote], model: Calibration | None
) -> None:
    tables: dict[str, Mapping[str, object]] = {"utt2num_samples": {trial.id: trial.num_samples for trial in trials}}
    if model is None:
        (out / "presence").unlink(missing_ok=True)
    else:
        tables["presence"] = {trial.id: f"{presence_of(notes[trial.id], model):.6f}" for trial in trials}
    wavs = {trial.id: os.fspath(trial.output) for trial in trials}
    write_data_dir(out, wavs=wavs, utt2spk=directory.utt2spk, tables=tables)


def presence_of(note: TrialNote, model: Calibration) -> float:
    """Presence score of a trial, that of its likeliest chunk; silent and very short outputs count as unlike."""
    like = [0.0 if one is None else one for one in note.likeness]
    return float(model.probability(np.array(note.energy_db), np.array(like)).max())


def _facts(
    extractor: Extractor,
    notes: Mapping[str, TrialNote],
    done: Sequence[Trial],
    place: torch.device,
    nj: int,
    peak: float,
) -> dict[str, object]:
    audio_s = sum(notes[trial.id].mixture_s for trial in done)
    return {
        "num_trials": len(notes),
        "seconds": round(sum(note.mixture_s for note in notes.values()), 3),
        "fs": extractor.fs,
        "real_time_factor": sum(notes[trial.id].compute_s for trial in done) / audio_s if audio_s else None,
        "num_timed": len(done),
        "device": torch.cuda.get_device_name(place) if place.type == "cuda" else "cpu",
        "num_processes": nj,
        "num_threads": 1 if nj > 1 else torch.get_num_threads(),
        "peak_memory_mib": round(peak, 1),
        "peak_memory_of": "gpu" if place.type == "cuda" else "process",
        **extraction_cost(extractor),
    }
