"""Make a faulty data directory valid: sorted, consistent, and with a record of every line that had to go."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.blanks import odd_character, without_mark
from zspex_toolkit.io.known_tables import CONDITIONS, Rule, may_lack, rule_of, tables_of
from zspex_toolkit.io.table import sorted_keys
from zspex_toolkit.io.table_set import PLAN, Tables, keep_utterances, read_plan, write_tables
from zspex_toolkit.io.temporary import temporary_folder
from zspex_toolkit.io.validate_audio import audio_faults

DROPPED = "dropped.txt"


@dataclass(frozen=True)
class Dropped:
    """An entry left out; ``kind`` is the same for all that went for one reason, ``detail`` says where and what."""

    key: str
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.key} {self.kind}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class Repair:
    """What :func:`fix_data_dir` did.

    Attributes:
        num_before: utterances in ``utt2spk`` before, malformed ones not counted.
        num_after: utterances kept.
        dropped: everything left out and why, as in ``dropped.txt``.
        changed: names of the files that were rewritten; none if the directory was fine.
        backup: folder with the files as they were; None if nothing changed.
        converted: what was done to the text of which file, such as a byte order mark that was removed.
    """

    num_before: int
    num_after: int
    dropped: list[Dropped]
    changed: list[str]
    backup: Path | None
    converted: tuple[str, ...] = ()

    def summary(self) -> list[str]:
        """Lines for the user: how many were kept, and how many went for which reason."""
        if not self.changed:
            return [f"kept all {self.num_before} utterances, nothing to change"]
        kept = f"kept {self.num_after} utterances out of {self.num_before}"
        reasons = Counter(entry.kind for entry in self.dropped)
        lines = [f"{kept}; rewrote {', '.join(self.changed)}"]
        lines += [f"dropped {count}: {reason}" for reason, count in reasons.most_common()]
        lines += self.converted
        return [*lines, f"old files are kept in {self.backup}"]


@dataclass(frozen=True)
class Config:
    """Settings of fix_data_dir."""

    data: Path  # data directory, rewritten in place; old files go to its .backup
    utt_extra_files: tuple[str, ...] = ()  # further files keyed by utterance to treat like the known ones
    check_audio: bool = False  # also drop utterances whose audio is missing, broken, silent or of another length
    nj: int = 1  # number of processes that open audio


def fix_data_dir(config: Config) -> Repair:
    """Keep what all tables of a data directory share, sort them, and rebuild ``spk2utt``.

    Malformed lines and repeated keys are dropped; then every utterance that some table of utterances lacks (also
    ``vad.scp``, ``spk1.scp``, ...: a mixture without its sources is of no use), every speaker that a table of speakers
    lacks, and every recording without utterance; with ``check_audio`` also utterances whose audio
    ``validate_data_dir --check_audio`` would find fault with (rates that differ excepted). Each goes to
    ``dropped.txt``, old files to ``.backup``.

    Raises:
        DataDirError: if no utterance would remain, or ``utt2spk`` cannot be sorted by speaker; nothing was changed.
    """
    data = config.data
    converted = tuple(_conversions(data, config.utt_extra_files))
    tables, kinds, dropped = _salvage(data, config.utt_extra_files)
    kept = _shared(tables, kinds, dropped)
    with temporary_folder(data / "fix") as temporary:
        _write(data, temporary, keep_utterances(tables, kinds, kept), dropped)
        if config.check_audio:
            kept -= _with_faulty_audio(temporary, tables, kept, dropped, config.nj)
            shutil.rmtree(temporary)
            kept = _shared(keep_utterances(tables, kinds, kept), kinds, dropped)
            _write(data, temporary, keep_utterances(tables, kinds, kept), dropped)
        dropped += _leftovers(tables, keep_utterances(tables, kinds, kept), kinds)
        changed, backup = _replace_changed(data, temporary, dropped)
    return Repair(len(tables["utt2spk"]), len(kept), dropped, changed, backup, converted)


def _conversions(data: Path, utt_extra_files: Sequence[str]) -> Iterator[str]:
    """What reading does to the text of each table, to say it."""
    for name in (*(tables_of(data) if data.is_dir() else ()), *utt_extra_files):
        content = (data / name).read_bytes() if (data / name).is_file() else b"\n"
        content, done = without_mark(content)
        if done:
            yield f"{name}: {done}"
        if b"\r" in content:
            yield f"{name}: carriage returns removed"
        if content and not content.endswith(b"\n"):
            yield f"{name}: newline added at its end"


def _salvage(data: Path, utt_extra_files: Sequence[str]) -> tuple[Tables, dict[str, str], list[Dropped]]:
    """The sound lines of all tables, what the tables are keyed by, and the dropped lines."""
    for name in ("utt2spk", *utt_extra_files):
        if not (data / name).is_file():
            raise DataDirError(f"{data / name}: no such file")
    kinds = {name: kind for name, kind in tables_of(data).items() if name != "spk2utt"}
    kinds |= dict.fromkeys(utt_extra_files, "utterance")
    tables: Tables = {}
    dropped: list[Dropped] = []
    for name in kinds:
        tables[name], found = _salvage_table(data / name, rule_of(name))
        dropped += found
    if (data / PLAN).is_file():
        tables[PLAN], kinds[PLAN] = read_plan(data / PLAN), "utterance"
    return tables, kinds, dropped


def _salvage_table(path: Path, rule: Rule) -> tuple[dict[str, str], list[Dropped]]:
    """The lines that have a key not seen before and a value that ``rule`` accepts, in order; and all other lines."""
    rows: dict[str, str] = {}
    dropped: list[Dropped] = []
    data, _ = without_mark(path.read_bytes())
    for number, line in enumerate(data.split(b"\n"), start=1):
        fields = line.split(None, 1)
        if not fields:
            continue
        key, value = fields[0].decode("utf-8", "backslashreplace"), fields[1].strip() if len(fields) == 2 else b""
        if complaint := _complaint(path.name, line, value, rule):
            dropped.append(Dropped(key, f"malformed line of {path.name}", f"line {number}: {complaint}"))
        elif key in rows:
            same = rows[key] == value.decode("utf-8")
            detail = f"line {number}: {'the same again' if same else 'another value, the first was kept'}"
            dropped.append(Dropped(key, f"repeated key in {path.name}", detail))
        else:
            rows[key] = value.decode("utf-8")
    return rows, dropped


def _complaint(name: str, line: bytes, value: bytes, rule: Rule) -> str | None:
    try:
        odd = odd_character(name, line.decode("utf-8").removesuffix("\r"))
    except UnicodeDecodeError:
        return "not UTF-8"
    if odd:
        return odd
    if not value:
        return None if name.startswith("text") else "no value"
    return rule(value)


def _shared(tables: Tables, kinds: dict[str, str], dropped: list[Dropped]) -> set[str]:
    """Utterances that all tables have, with speakers and recordings that all tables of these have."""
    utt2spk, segments = tables["utt2spk"], tables.get("segments", {})
    key_of = {
        "utterance": lambda utt: utt,
        "speaker": utt2spk.__getitem__,
        "recording": lambda utt: segments[utt].split()[0],
    }
    kept = set(utt2spk)
    conditions = tables.get(CONDITIONS, {})
    # Tables of utterances first: the recording of an utterance is known only where segments has it.
    for name in sorted(tables, key=lambda name: (kinds[name] != "utterance", name)):
        missing = sorted_keys(
            utt
            for utt in kept
            if key_of[kinds[name]](utt) not in tables[name]
            and not (utt in conditions and may_lack(name, conditions[utt].encode()))
        )
        kept.difference_update(missing)
        what = "" if kinds[name] == "utterance" else f"its {kinds[name]} is "
        dropped += [Dropped(utt, f"{what}not in {name}") for utt in missing]
    return kept


def _write(data: Path, temporary: Path, tables: Tables, dropped: list[Dropped]) -> None:
    if not tables["utt2spk"]:
        first = f"; first dropped: {dropped[0]}" if dropped else ""
        raise DataDirError(f"{data}: no utterances remained, nothing was changed{first}")
    try:
        write_tables(temporary, tables)
    except DataDirError as error:
        raise DataDirError(str(error).replace(str(temporary), str(data))) from error


def _with_faulty_audio(temporary: Path, tables: Tables, kept: set[str], dropped: list[Dropped], nj: int) -> set[str]:
    of_recording: dict[str, list[str]] = {}
    for utt in sorted_keys(kept):
        recording = tables["segments"][utt].split()[0] if "segments" in tables else utt
        of_recording.setdefault(recording, []).append(utt)
    faulty: dict[str, Dropped] = {}
    for fault in audio_faults(temporary, nj=nj).faults:
        for utt in [fault.key] if fault.key in kept else of_recording[fault.key]:
            faulty.setdefault(utt, Dropped(utt, fault.kind, fault.message))
    dropped += faulty.values()
    return set(faulty)


def _leftovers(before: Tables, after: Tables, kinds: dict[str, str]) -> list[Dropped]:
    """Rows that went because nothing of ``utt2spk`` asks for them."""
    leftovers = []
    for name, table in before.items():
        for key in table.keys() - after.get(name, {}).keys():
            if kinds[name] != "utterance":
                leftovers.append(Dropped(key, f"no utterance left for this line of {name}"))
            elif key not in before["utt2spk"]:
                leftovers.append(Dropped(key, f"in {name} but not in utt2spk"))
    return sorted(leftovers, key=str)


def _replace_changed(data: Path, temporary: Path, dropped: list[Dropped]) -> tuple[list[str], Path | None]:
    """Back up the files that differ, then put the new ones in their place; tables that nothing is left of go."""
    gone = [name for name in tables_of(data) if not (temporary / name).exists()]
    changed = [
        path.name
        for path in sorted(temporary.iterdir())
        if not (data / path.name).is_file() or (data / path.name).read_bytes() != path.read_bytes()
    ]
    if not changed and not gone:
        return [], None
    # As Kaldi's, but an older backup is never written over: .backup, .backup.2, .backup.3, ...
    names = (".backup" if number == 1 else f".backup.{number}" for number in count(1))
    backup = next(data / name for name in names if not (data / name).exists())
    backup.mkdir()
    for name in [*changed, *gone, DROPPED]:
        if (data / name).is_file():
            shutil.copy2(data / name, backup / name)
    write_text(data / DROPPED, "".join(f"{entry}\n" for entry in dropped))
    for name in changed:
        os.replace(temporary / name, data / name)
    for name in gone:
        (data / name).unlink()
    return sorted([*changed, *gone]), backup
