"""Join several data directories into one, and copy one under new names, so that it can be joined to its original."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.table_set import Tables, read_tables, write_tables


@dataclass(frozen=True)
class CombineConfig:
    """Settings of combine_data_dirs."""

    data: tuple[Path, ...]  # data directories
    out: Path  # data directory to write


def combine_data_dirs(config: CombineConfig) -> tuple[int, list[str]]:
    """Write all utterances of the directories in ``data`` to ``out``; tables that not all of them have are left out.

    Where only some have ``segments``, the others' recordings become segments of their whole length.

    Returns:
        The number of utterances, and a line for each table left out and who lacks it.

    Raises:
        ConfigError: for fewer than two directories, or if ``out`` is one of them.
        DataDirError: if two directories have the same utterance, or differ on a speaker or recording; nothing is
            written.
    """
    data = config.data
    if len(data) < 2:
        raise ConfigError(f"data: expected two directories or more, got {len(data)}")
    refuse_overwriting("out", config.out, data)
    combined, left_out = combine_tables(data, [read_tables(path)[0] for path in data])
    write_tables(config.out, combined, like=data[0])
    return len(combined["utt2spk"]), left_out


def combine_tables(data: Sequence[str | os.PathLike], sets: list[Tables]) -> tuple[Tables, list[str]]:
    """The tables of several directories as those of one, and a line for each table left out and who lacks it.

    Args:
        data: what messages call the directories.
        sets: their tables; those without ``segments`` get some, where others have them.

    Raises:
        DataDirError: as :func:`combine_data_dirs`.
    """
    if any("segments" in tables for tables in sets):
        for path, tables in zip(data, sets, strict=True):
            if "wav.scp" not in tables:
                raise DataDirError(
                    f"{path}/wav.scp: no such file; another directory has segments, so all need recordings"
                )
            if "segments" not in tables:
                tables["segments"] = _whole_recordings(tables["wav.scp"])
    combined: Tables = {}
    left_out = []
    for name in sorted({name for tables in sets for name in tables}):
        lacking = [str(path) for path, tables in zip(data, sets, strict=True) if name not in tables]
        if lacking:
            left_out.append(f"{name} is left out: not in {', '.join(lacking)}")
        else:
            combined[name] = _joined(name, data, sets)
    return combined, left_out


@dataclass(frozen=True)
class CopyConfig:
    """Settings of copy_data_dir."""

    data: Path  # data directory
    out: Path  # data directory to write
    utt_prefix: str = ""  # put before every utterance id; has to begin with spk_prefix, or the order by speaker is lost
    spk_prefix: str = ""  # put before every speaker id


def copy_data_dir(config: CopyConfig) -> int:
    """Copy ``data`` to ``out`` with prefixes, as for a perturbed copy that is to be combined with its original.

    Returns:
        The number of utterances.

    Raises:
        ConfigError: if ``out`` is ``data``.
        DataDirError: if ``data`` is malformed, or the new names are not sorted by speaker; nothing is written.

    Recordings keep their names where there is ``segments``; else they are utterances and are renamed.
    """
    refuse_overwriting("out", config.out, [config.data])
    utt_prefix, spk_prefix = config.utt_prefix, config.spk_prefix
    tables, kinds = read_tables(config.data)
    prefixes = {"utterance": utt_prefix, "speaker": spk_prefix, "recording": ""}
    renamed: Tables = {
        name: {prefixes[kinds[name]] + key: value for key, value in table.items()} for name, table in tables.items()
    }
    for name, table in renamed.items():
        if name.startswith("utt2spk"):
            renamed[name] = {utt: spk_prefix + spk for utt, spk in table.items()}
        elif name == "plan.jsonl":
            renamed[name] = {utt: json.dumps({**json.loads(row), "id": utt}) for utt, row in table.items()}
    write_tables(config.out, renamed, like=config.data)
    return len(renamed["utt2spk"])


def _joined(name: str, data: Sequence[str | os.PathLike], sets: list[Tables]) -> dict[str, str]:
    joined: dict[str, str] = {}
    origin: dict[str, str | os.PathLike] = {}
    for path, tables in zip(data, sets, strict=True):
        for key, value in tables[name].items():
            if key in joined and (name == "utt2spk" or value != joined[key]):
                what = f"both have '{key}'" if name == "utt2spk" else f"differ on '{key}'"
                hint = "copy one with a prefix first (copy_data_dir)"
                raise DataDirError(f"{origin[key]}/{name} and {path}/{name} {what}; {hint}")
            joined[key], origin[key] = value, path
    return joined


def _whole_recordings(wavs: dict[str, str]) -> dict[str, str]:
    segments = {}
    for utt, source in wavs.items():
        info = audio_info(source)
        segments[utt] = f"{utt} 0 {info.num_samples / info.fs:.10g}"
    return segments
