"""Pack the audio of a data directory into few large files, and index such files that others made."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.errors import AudioError, ConfigError, DataDirError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.audio_shard import FORMATS, exact_wav, index_tar, write_shard
from zspex_toolkit.io.overwriting import refuse_overwriting, refuse_sources_within
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.source_mark import digest_of_sources
from zspex_toolkit.io.table import write_table
from zspex_toolkit.io.table_set import read_tables, write_tables
from zspex_toolkit.io.temporary import remove_leftovers

_RECORD = "packed.json"  # says which shards beside it were made here, of what, and for whom
_AUDIO_TABLE = re.compile(r"wav\.scp|(spk|enroll_spk|noise|dereverb)\d+\.scp")


@dataclass(frozen=True)
class _Shard:
    """A file to make, and what goes into it."""

    path: Path
    recordings: tuple[tuple[str, str], ...]  # key and source of each
    mark: str  # of the sources: their sizes and times

    @property
    def note(self) -> Path:
        """Beside the shard: what it was made from, how long it is and where its recordings lie."""
        return self.path.with_suffix(".json")

    @property
    def content(self) -> str:
        """A hash of all that goes into it."""
        return _hash((self.recordings, self.mark))


@dataclass(frozen=True)
class PackConfig:
    """Settings of pack_audio."""

    data: Path  # data directory; its wav.scp may name files, pipes and places in archives
    out: Path  # data directory to write
    dump: Path  # folder of the shards, for this data directory alone
    format: str = "ark"  # ark (Kaldi's) or tar (WebDataset's)
    per_shard: int = 1000  # recordings in a shard
    nj: int = 1  # number of processes


def pack_audio(config: PackConfig) -> None:
    """Write the audio of ``data`` to shards under ``dump``, and a data directory whose tables point into them.

    Samples stay what they are, to the last bit, and so all other tables stay true. Audio that several lines name, as
    the trials of a mixture do, is packed once; of a trial directory ``spk1.scp``, ``enroll_spk1.scp``, ... are packed,
    too. Shards that an earlier run made from the same sources are kept; others
    that it made go once the tables point to the new ones.

    Raises:
        ConfigError: if a setting is out of its range, ``out`` is ``data``, or ``dump`` holds shards of others.
        DataDirError: if ``data`` is malformed.
        AudioError: if audio is missing or broken.
    """
    if config.format not in FORMATS:
        raise ConfigError(f"format: expected one of {', '.join(FORMATS)}, got '{config.format}'")
    if config.per_shard < 1:
        raise ConfigError(f"per_shard: expected 1 recording or more, got {config.per_shard}")
    data, out, dump = config.data, config.out, config.dump
    refuse_overwriting("out", out, [data])
    refuse_overwriting("dump", dump, [data])
    tables, _ = read_tables(data)
    if "wav.scp" not in tables:
        raise DataDirError(f"{data}/wav.scp: no such file")
    for name in filter(_AUDIO_TABLE.fullmatch, tables):
        refuse_sources_within("dump", dump, tables[name].values())
    shards = [
        shard
        for name in sorted(filter(_AUDIO_TABLE.fullmatch, tables))
        for shard in _shards_of(tables[name], dump / name.removesuffix(".scp"), config.format, config.per_shard)
    ]
    former = _claim(dump, data, out, shards)
    made = map_in_processes(_make, shards, config.nj, label="shards")
    for name in filter(_AUDIO_TABLE.fullmatch, tables):
        place = _places(shard for shard in shards if shard.path.name.startswith(f"{name.removesuffix('.scp')}."))
        tables[name] = {key: place.get(source, source) for key, source in tables[name].items()}
    write_tables(out, tables, like=data)
    _copy_options(data, out)
    _keep_only(dump, former, shards)
    print(
        f"{out}: {len(tables['wav.scp'])} recordings in, {sum(len(shard.recordings) for shard in shards)} files in"
        f" {len(shards)} shards, {sum(made)} made, {len(made) - sum(made)} already there, 0 dropped"
    )


@dataclass(frozen=True)
class IndexConfig:
    """Settings of index_shards."""

    shards: tuple[Path, ...]  # the tars, without compression
    out: Path  # table to write
    nj: int = 1  # number of processes


def index_shards(config: IndexConfig) -> None:
    """Write a table like ``wav.scp`` of the recordings in tars that exist, such as WebDataset's.

    Raises:
        DataDirError: if a shard is no tar, there is no audio in them, or two recordings have one name.
    """
    shards, out = config.shards, config.out
    refuse_overwriting("out", out, shards)
    places: dict[str, str] = {}
    for shard, found in zip(shards, map_in_processes(index_tar, shards, config.nj, label="shards"), strict=True):
        for key, offset in found.items():
            if key in places:
                raise DataDirError(f"{shard}: '{key}' is in {places[key].rpartition(':')[0]}, too")
            places[key] = f"{shard}:{offset}"
    if not places:
        raise DataDirError(f"expected audio in {', '.join(map(str, shards)) or 'shards'}, found none")
    write_table(out, places)
    print(f"{out}: {len(places)} recordings of {len(shards)} shards")


def _shards_of(table: dict[str, str], stem: Path, format: str, per_shard: int) -> list[_Shard]:
    """The shards of a table. What goes into one is part of its name: none is ever replaced by one of other audio."""
    first_key: dict[str, str] = {}
    for key, source in table.items():
        if not source.startswith("*") and not source.endswith(".npy"):  # ESPnet's enrollments that are no audio
            first_key.setdefault(source, key)
    rows = [(key, source) for source, key in first_key.items()]
    pieces = [tuple(rows[first : first + per_shard]) for first in range(0, len(rows), per_shard)]
    marks = [digest_of_sources(source for _, source in piece) for piece in pieces]
    return [
        _Shard(stem.with_name(f"{stem.name}.{number}.{_hash((format, piece, mark))[:8]}.{format}"), piece, mark)
        for number, (piece, mark) in enumerate(zip(pieces, marks, strict=True), 1)
    ]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _claim(dump: Path, data: Path, out: Path, shards: list[_Shard]) -> list[str]:
    """Note whose shards are going to be in ``dump``, and which; returns the names of those that may be there already.

    Raises:
        ConfigError: if ``dump`` holds shards of other directories, or of unknown ones.
    """
    owner = {"data": str(data.resolve()), "out": str(out.resolve())}
    former = _noted(dump, owner)
    names = {*former, *(shard.path.name for shard in shards)}
    write_json(dump / _RECORD, {"made_by": "pack_audio", **owner, "shards": sorted(names)})
    return former


def _noted(dump: Path, owner: dict[str, str]) -> list[str]:
    record = dump / _RECORD
    if not record.exists():
        others = [path for format in FORMATS for path in sorted(dump.glob(f"*.{format}"))]
        if others:
            raise ConfigError(f"dump: {dump} holds other shards, such as {others[0].name}; give another folder")
        return []
    try:
        note = json.loads(record.read_text(encoding="utf-8"))
        found, names = {name: note[name] for name in owner}, list(note["shards"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"dump: {record}: expected data, out and shards of an earlier packing, found none; give another folder"
        ) from error
    if found != owner and any((dump / name).exists() for name in names):
        raise ConfigError(
            f"dump: {record}: expected shards of {owner['data']} for {owner['out']}, found those of {found['data']} for"
            f" {found['out']}; give each directory a folder of its own, or delete this one first"
        )
    return names


def _keep_only(dump: Path, former: list[str], shards: list[_Shard]) -> None:
    """Remove shards of an earlier run to which no table points any more; what others put there stays."""
    wanted = {shard.path.name for shard in shards}
    for path in (dump / name for name in former if name not in wanted):
        for each in (path.with_suffix(".json"), path):
            each.unlink(missing_ok=True)
            remove_leftovers(each)
    note = json.loads((dump / _RECORD).read_text(encoding="utf-8"))
    write_json(dump / _RECORD, {**note, "shards": sorted(wanted)})


def _make(shard: _Shard) -> bool:
    """Whether the shard had to be made."""
    if _is_there(shard):
        return False
    shard.note.unlink(missing_ok=True)
    offsets = write_shard(shard.path, _encoded(shard))
    write_json(shard.note, {"content": shard.content, "bytes": shard.path.stat().st_size, "offsets": offsets})
    return True


def _is_there(shard: _Shard) -> bool:
    if not (shard.note.exists() and shard.path.exists()):
        return False
    note = json.loads(shard.note.read_text(encoding="utf-8"))
    return (note["content"], note["bytes"]) == (shard.content, shard.path.stat().st_size)


def _encoded(shard: _Shard) -> Iterator[tuple[str, bytes]]:
    for key, source in shard.recordings:
        try:
            yield key, exact_wav(*read_audio(source))
        except AudioError as error:
            raise AudioError(f"{key}: {error}") from error


def _places(shards: Iterator[_Shard]) -> dict[str, str]:
    """Place of each source."""
    places = {}
    for shard in shards:
        offsets = json.loads(shard.note.read_text(encoding="utf-8"))["offsets"]
        places |= {source: f"{shard.path}:{at}" for (_, source), at in zip(shard.recordings, offsets, strict=True)}
    return places


def _copy_options(data: Path, out: Path) -> None:
    """Of the features, which go with the same samples."""
    for path in (data / "conf").glob("*.conf"):
        (out / "conf").mkdir(exist_ok=True)
        shutil.copy(path, out / "conf" / path.name)
