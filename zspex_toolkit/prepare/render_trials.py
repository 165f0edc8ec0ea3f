"""Render planned trials to audio and make their folder a trial directory; each signal is written once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.file_name import file_name_of
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.render_mixtures import Layout, is_whole, render_plans
from zspex_toolkit.simulation.plan import Enrollment, Trial, mixtures_of, read_trials, to_line
from zspex_toolkit.simulation.speech import Speech


@dataclass(frozen=True)
class Config:
    """Settings of render_trials."""

    data: Path  # folder with plan.jsonl, as plan_trials wrote it
    source_data: Path  # data directory that the plan was made from
    out: Path  # folder of the audio
    noise_dir: Path | None = None  # folder of noise recordings (wav, flac), if the plan has noise
    room_dir: Path | None = None  # folder of room impulse responses (wav, flac), if the plan has rooms
    audio_format: str = "wav"  # wav or flac
    nj: int = 1  # number of processes


def render_trial_dir(config: Config) -> None:
    """Render ``data/plan.jsonl`` to audio under ``out`` and write the tables of a trial directory into ``data``.

    Files that an earlier run finished are kept. The tables are written last, so the trial directory is there only when
    all its audio is.

    Args:
        config: ``data`` gets ``wav.scp``, ``spk1.scp``, ``enroll_spk1.scp``, ``utt2spk``, ``utt2condition`` and the
            rest of docs/data_format.md; ``out`` gets ``wav/<mixture>.wav``, ``spk1/<mixture>.wav``,
            ``enrollment/...`` and ``silence/...``.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if the plan or a data directory is missing or malformed, or the audio has changed.
        AudioError: if audio is missing or broken.
    """
    data, layout = config.data, Layout(config.out, config.audio_format, store_sources=True)
    trials = read_trials(data / "plan.jsonl")
    refuse_overwriting("data", data, [config.source_data])
    speech = Speech.load(config.source_data, config.noise_dir, config.room_dir)
    mixtures = mixtures_of(trials)
    rendered = render_plans(mixtures, speech, layout, data, nj=config.nj)
    files = _Files(layout)
    enrollments = {files.enrollment(trial): trial.enrollment for trial in trials}
    _remove_outdated(config.out, enrollments, speech)
    map_in_processes(partial(_write_enrollment, speech), list(enrollments.items()), config.nj, label="enrollments")
    for trial in trials:
        if trial.role is None:
            _write_silence(files.silence(trial), trial)
    _write_tables(data, files, trials, speech)
    kept = len(mixtures) - rendered
    print(f"{data}: {len(trials)} trials of {len(mixtures)} mixtures in, ", end="")
    print(f"{rendered} mixtures rendered, {kept} already there, 0 dropped")


class _Files:
    """Where the audio of a trial lies."""

    def __init__(self, layout: Layout):
        self.layout = layout

    def silence(self, trial: Trial) -> Path:
        """The reference of an absent speaker, one for each length."""
        return self._path("silence", str(trial.mixture.num_samples))

    def enrollment(self, trial: Trial) -> Path:
        """The enrollment, named by its first utterance and all that it is cut from."""
        passage, noise, channel = (getattr(trial.enrollment, name) for name in ("passage", "noise", "channel"))
        utts = [piece.utt for piece in passage.pieces]
        parts = [*utts, str(passage.start + passage.pieces[0].start), str(passage.num_samples)]
        rest = (
            any(piece.start for piece in passage.pieces[1:]),
            passage.speed,
            passage.room,
            passage.gain,
            noise,
            channel,
        )
        if rest != (
            False,
            1.0,
            None,
            None,
            None,
            None,
        ):  # names of plain stretches are part of the hashes of lists of trials
            parts.append(to_line(trial.enrollment))
        return self._path(
            "enrollment", f"{file_name_of(utts[0])}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:8]}"
        )

    def references(self, trial: Trial) -> dict[str, Path]:
        """``spk1`` (the target), ``spk2``, ... (whoever else speaks) and ``noise1``."""
        files = self.layout.files(trial.mixture)
        numbers = list(range(1, len(trial.mixture.sources) + 1))
        others = [files[f"spk{number}"] for number in numbers if number != trial.role]
        target = self.silence(trial) if trial.role is None else files[f"spk{trial.role}"]
        found = {f"spk{number}": path for number, path in enumerate([target, *others], start=1)}
        return found | {name: path for name, path in files.items() if name == "noise1"}

    def _path(self, folder: str, name: str) -> Path:
        return self.layout.out / folder / f"{name}.{self.layout.audio_format}"


def _remove_outdated(out: Path, enrollments: Mapping[Path, Enrollment], speech: Speech) -> None:
    """Remove enrollments that were made from recordings of other sizes or times; note those of the present ones."""
    record = out / "enrollments.json"
    former = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    marks = {path.name: speech.digest((one.passage,), one.noise) for path, one in enrollments.items()}
    for path in enrollments:
        if former.get(path.name) != marks[path.name]:
            path.unlink(missing_ok=True)
    write_json(record, {**former, **marks})


def _write_enrollment(speech: Speech, item: tuple[Path, Enrollment]) -> None:
    path, enrollment = item
    if is_whole(path, enrollment.passage.num_samples):
        return
    try:
        samples = speech.enroll(enrollment)
    except ValueError as fault:
        raise DataDirError(str(fault)) from fault
    write_audio(path, samples, speech.fs)


def _write_silence(path: Path, trial: Trial) -> None:
    if not is_whole(path, trial.mixture.num_samples):
        write_audio(path, np.zeros(trial.mixture.num_samples, dtype=np.float32), trial.mixture.fs)


def _write_tables(data: Path, files: _Files, trials: Sequence[Trial], speech: Speech) -> None:
    tables: dict[str, dict[str, object]] = {
        "enroll_spk1.scp": {trial.id: files.enrollment(trial) for trial in trials},
        "utt2condition": {trial.id: trial.condition for trial in trials},
        "utt2mixture": {trial.id: trial.mixture.id for trial in trials},
        "utt2num_samples": {trial.id: trial.mixture.num_samples for trial in trials},
    }
    speakers = set()
    for trial in trials:
        for name, path in files.references(trial).items():
            tables.setdefault(f"{name}.scp", {})[trial.id] = path
        others = [s.spk for number, s in enumerate(trial.mixture.sources, start=1) if number != trial.role]
        for number, spk in enumerate(others, start=2):
            tables.setdefault(f"utt2spk{number}", {})[trial.id] = spk
        speakers |= {trial.spk, *others}
    write_data_dir(
        data,
        wavs={trial.id: str(files.layout.files(trial.mixture)["wav"]) for trial in trials},
        utt2spk={trial.id: trial.spk for trial in trials},
        spk2gender=_genders(speech, speakers),
        tables=tables,
    )


def _genders(speech: Speech, speakers: set[str]) -> dict[str, str] | None:
    """Of everyone who speaks, where the source data tell it of all of them."""
    path = speech.utterances.path / "spk2gender"
    known = read_table(path) if path.exists() else {}
    return {spk: known[spk] for spk in speakers} if speakers <= known.keys() else None
