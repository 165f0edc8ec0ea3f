"""Render planned mixtures to audio and make their folder a Kaldi data directory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zspex_toolkit.errors import AudioError, ConfigError, DataDirError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.audio import audio_info, write_audio
from zspex_toolkit.io.file_name import file_name_of
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.simulation.plan import Plan, read_plans, to_line
from zspex_toolkit.simulation.speech import Speech

FORMATS = ("wav", "flac")
FOLDERS = ("wav", "spk[0-9]*", "noise1")
TABLES = (
    *("utt2spk", "spk2utt", "utt2num_samples", "wav.scp", "spk*.scp", "noise1.scp", "utt2spk[0-9]*"),
    *("enroll_spk1.scp", "utt2condition", "utt2mixture"),
)


@dataclass(frozen=True)
class Config:
    """Settings of render_mixtures."""

    data: Path  # folder with plan.jsonl, as plan_mixtures wrote it
    source_data: Path  # data directory that the plan was made from
    out: Path  # folder of the audio
    noise_dir: Path | None = None  # folder of noise recordings (wav, flac), if the plan has noise
    room_dir: Path | None = None  # folder of room impulse responses (wav, flac), if the plan has rooms
    store_sources: bool = False  # write every source beside the mixture: spk1.scp, spk2.scp, ...
    audio_format: str = "wav"  # wav or flac
    nj: int = 1  # number of processes


def render_data_dir(config: Config) -> None:
    """Render ``data/plan.jsonl`` to audio under ``out`` and write the tables of a data directory into ``data``.

    Files that an earlier run finished are kept if their line of the plan and the recordings that they are made of, by
    size and time, are still the same, and removed if not.
    The tables are written last, so the data directory is there only when all its audio is.

    Args:
        config: ``data`` gets ``wav.scp``, ``utt2spk`` (the target's speaker), ``utt2spk2``, ... (the interferers'),
            ``spk2utt`` and ``utt2num_samples``; with sources ``spk1.scp``, ``spk2.scp``, ..., and ``noise1.scp`` if
            there is noise. ``out`` gets ``wav/<mixture>.wav``, ``spk1/<mixture>.wav``, ...; the mixture is the sum of
            its sources, exactly.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if the plan or a data directory is missing or malformed, or the audio has changed.
        AudioError: if audio is missing or broken.
    """
    data, layout = config.data, Layout(config.out, config.audio_format, config.store_sources)
    plans = read_plans(data / "plan.jsonl")
    refuse_overwriting("data", data, [config.source_data])
    speech = Speech.load(config.source_data, config.noise_dir, config.room_dir)
    rendered = render_plans(plans, speech, layout, data, nj=config.nj)
    _write_tables(data, layout, plans)
    kept = len(plans) - rendered
    print(f"{data}: {len(plans)} mixtures in, {rendered} rendered, {kept} already there, 0 dropped")


def render_plans(plans: list[Plan], speech: Speech, layout: Layout, data: Path, *, nj: int = 1) -> int:
    """Write the audio of the plans of ``data`` that is not there yet; how many that was.

    Raises:
        ConfigError: if the folder of the audio holds that of another plan, or files that no rendering noted.
        DataDirError: if the audio does not fit the plan.
        AudioError: if audio is missing or broken.
    """
    _remove_outdated(layout, plans, data, speech)
    missing = [plan for plan in plans if not layout.is_complete(plan)]
    map_in_processes(partial(_render_one, speech, layout), missing, nj, label="mixtures")
    return len(missing)


def is_whole(path: Path, num_samples: int) -> bool:
    """Whether audio of so many samples is there."""
    try:
        return audio_info(path).num_samples == num_samples
    except AudioError:
        return False


@dataclass(frozen=True)
class Layout:
    """Where the audio of a mixture lies.

    Raises:
        ConfigError: for an unknown format.
    """

    out: Path
    audio_format: str
    store_sources: bool

    def __post_init__(self) -> None:
        if self.audio_format not in FORMATS:
            raise ConfigError(f"audio_format: expected one of {', '.join(FORMATS)}, got {self.audio_format!r}")

    def files(self, plan: Plan) -> dict[str, Path]:
        """``{"wav": path of the mixture, "spk1": ..., "noise1": ...}``."""
        names = _names(plan) if self.store_sources else ["wav"]
        return {name: self.out / name / f"{file_name_of(plan.id)}.{self.audio_format}" for name in names}

    def is_complete(self, plan: Plan) -> bool:
        """Whether all audio of the mixture is there, as long as planned."""
        return all(is_whole(path, plan.num_samples) for path in self.files(plan).values())

    def remove(self, mixtures: Iterable[str]) -> None:
        """Remove what any run may have written for mixtures of these ids."""
        for path in self.existing(mixtures):
            path.unlink()

    def existing(self, mixtures: Iterable[str]) -> Iterator[Path]:
        """Files that are there under the names of mixtures of these ids."""
        folders = [path for pattern in FOLDERS for path in self.out.glob(pattern) if path.is_dir()]
        paths = (
            folder / f"{file_name_of(mixture)}.{kind}" for mixture in mixtures for folder in folders for kind in FORMATS
        )
        return (path for path in paths if path.exists())


def _names(plan: Plan) -> list[str]:
    has_noise = plan.noise is not None or (plan.channel is not None and plan.channel.distorts)
    return ["wav", *(f"spk{number}" for number in range(1, len(plan.sources) + 1)), *(["noise1"] if has_noise else [])]


def forget_rendering(data: Path) -> None:
    """Remove the tables that rendering wrote into ``data``: a new plan has outdated them."""
    for pattern in TABLES:
        for path in data.glob(pattern):
            path.unlink()


def _remove_outdated(layout: Layout, plans: list[Plan], data: Path, speech: Speech) -> None:
    """Remove audio made from another plan or other recordings than the present ones; what it was made from is noted.

    The SNR is not in a mixture's id, so audio of another folder's plan would look like this one's: refused.
    """
    record = layout.out / "rendered.json"
    home = os.path.relpath(data, layout.out)  # stays true when all is moved together
    strange = None if record.exists() else next(layout.existing(plan.id for plan in plans), None)
    if strange is not None:  # perhaps the very speech that is to be mixed
        raise ConfigError(f"{layout.out}: {strange} is there, but not from rendering; give --out another folder")
    rendered = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {"data": home, "plans": {}}
    if rendered["data"] != home:
        other = os.path.normpath(layout.out / rendered["data"])
        raise ConfigError(f"{layout.out}: holds the mixtures of {other}; give those of {data} another --out")
    made_of = {plan.id: f"{to_line(plan)}\n{speech.digest(plan.sources, plan.noise)}" for plan in plans}
    marks = {mixture: hashlib.sha256(text.encode()).hexdigest() for mixture, text in made_of.items()}
    layout.remove(name for name in {**rendered["plans"], **marks} if rendered["plans"].get(name) != marks.get(name))
    write_json(record, {"data": home, "plans": marks})


def _render_one(speech: Speech, layout: Layout, plan: Plan) -> None:
    if plan.sources[0].gain is None:
        raise DataDirError(f"mixture {plan.id}: the plan has no gains; write it with plan_mixtures")
    try:
        rendered = speech.render(plan)
    except ValueError as fault:
        raise DataDirError(str(fault)) from fault
    signals = dict(zip(_names(plan), [rendered.mixture, *rendered.sources, rendered.noise], strict=False))
    for name, path in layout.files(plan).items():
        write_audio(path, signals[name], plan.fs)


def _write_tables(data: Path, layout: Layout, plans: list[Plan]) -> None:
    files = {plan.id: layout.files(plan) for plan in plans}
    names = {name for paths in files.values() for name in paths} - {"wav"}
    tables: dict[str, dict[str, object]] = {"utt2num_samples": {plan.id: plan.num_samples for plan in plans}}
    for name in sorted(names):
        tables[f"{name}.scp"] = {utt: paths[name] for utt, paths in files.items()}
    for number in range(2, len(plans[0].sources) + 1):
        tables[f"utt2spk{number}"] = {plan.id: plan.sources[number - 1].spk for plan in plans}
    write_data_dir(
        data,
        wavs={utt: str(paths["wav"]) for utt, paths in files.items()},
        utt2spk={plan.id: plan.sources[0].spk for plan in plans},
        tables=tables,
    )
