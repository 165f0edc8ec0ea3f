"""All tables of a data directory together: read, cut down to some utterances, written so that they appear complete."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.io.known_tables import CONDITIONS, may_lack, tables_of
from zspex_toolkit.io.table import invert, read_table, write_table
from zspex_toolkit.io.temporary import temporary_folder
from zspex_toolkit.io.validate import check_data_dir

# name of a table -> its rows
Tables = dict[str, dict[str, str]]

# Files that say one thing of all utterances, and go with any part of them.
_OF_ALL = ("frame_shift", "feats_type", "audio_format")
PLAN = "plan.jsonl"


def read_tables(path: str | os.PathLike) -> tuple[Tables, dict[str, str]]:
    """The known tables of a directory but ``spk2utt``, which is derived; and what each is keyed by.

    ``plan.jsonl`` (one mixture a line) is taken for a table of lines by their ``id``.

    Raises:
        DataDirError: if there is no ``utt2spk``, or a table is malformed; with ``file:line``.
    """
    path = Path(path)
    if not (path / "utt2spk").is_file():
        raise DataDirError(f"{path}/utt2spk: no such file")
    kinds = {name: kind for name, kind in tables_of(path).items() if name != "spk2utt"}
    tables = {name: read_table(path / name, allow_empty=name.startswith("text")) for name in kinds}
    if (path / PLAN).is_file():
        tables[PLAN], kinds[PLAN] = read_plan(path / PLAN), "utterance"
    return tables, kinds


def read_plan(path: Path) -> dict[str, str]:
    """The lines of ``plan.jsonl``, one mixture each, by their ``id``.

    Raises:
        DataDirError: with ``file:line`` for a line that is no JSON object with an ``id``.
    """
    rows = {}
    for number, line in enumerate(read_lines(path), start=1):
        try:
            rows[json.loads(line)["id"]] = line
        except (ValueError, KeyError, TypeError) as error:
            raise DataDirError(f"{path}:{number}: expected a JSON object with an 'id', got '{line[:60]}'") from error
    return rows


def keep_utterances(tables: Tables, kinds: dict[str, str], utterances: Iterable[str]) -> Tables:
    """The rows of ``utterances``, of their speakers and of their recordings.

    Time grows with the rows that are kept, so that many small parts of a large directory can be made one by one.
    A table of which no trial needs a line, such as ``spk2.scp`` where all targets speak alone, goes as a whole.
    """
    kept = set(utterances)
    of_utterances = [table for name, table in tables.items() if re.fullmatch(r"utt2spk\d*", name)]
    speakers = {spk for table in of_utterances for spk in _rows(table, kept).values()}
    recordings = {row.split()[0] for row in _rows(tables.get("segments", {}), kept).values()}
    keys = {"utterance": kept, "speaker": speakers, "recording": recordings}
    left = {name: _rows(table, keys[kinds[name]]) for name, table in tables.items()}
    return {name: table for name, table in left.items() if table or not lacks_lines(tables, name)}


def _rows(table: dict[str, str], keys: set[str]) -> dict[str, str]:
    """The rows of the keys that there are: in the table's order, or, of few, in that of their keys."""
    if 2 * len(keys) > len(table):
        return {key: value for key, value in table.items() if key in keys}
    return {key: table[key] for key in sorted(keys) if key in table}


def lacks_lines(tables: Tables, name: str) -> bool:
    """Whether this table of a trial directory has no line for some of its trials, as it may."""
    conditions = tables.get(CONDITIONS, {})
    return any(utt not in tables[name] and may_lack(name, value.encode()) for utt, value in conditions.items())


def write_tables(out: str | os.PathLike, tables: Tables, *, like: str | os.PathLike | None = None) -> None:
    """Write the tables and ``spk2utt``; the directory appears complete and valid, or not at all.

    Args:
        out: directory; if it exists its tables are replaced, and other files in it stay. Its tables that are not
            among ``tables`` stay only if the utterances and their audio are the same as before.
        tables: rows by table; ``utt2spk`` among them.
        like: directory whose files about all utterances (``frame_shift``, ``feats_type``, ...) are copied.

    Raises:
        DataDirError: if there is no utterance or the result would not be valid; nothing is written.
    """
    out = Path(out)
    if not tables["utt2spk"]:
        raise DataDirError(f"{out}: no utterances to write")
    out.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(out) as temporary:
        for name, table in {**tables, "spk2utt": invert(tables["utt2spk"])}.items():
            if name == PLAN:
                write_text(temporary / name, "".join(f"{row}\n" for row in table.values()))
            else:
                write_table(temporary / name, table, allow_empty=name.startswith("text"))
        if faults := check_data_dir(temporary, require=()).faults:
            raise DataDirError(str(faults[0]).replace(str(temporary), str(out), 1) + "; nothing was written")
        for name in _OF_ALL:
            if like is not None and Path(like, name).is_file():
                shutil.copy(Path(like, name), temporary / name)
        _move_into_place(temporary, out)


def _move_into_place(temporary: Path, out: Path) -> None:
    if not out.exists():
        os.replace(temporary, out)
        return
    if not all(_same_bytes(temporary / name, out / name) for name in ("utt2spk", "wav.scp", "segments")):
        for name in tables_of(out):
            if not (temporary / name).exists():  # such as feats.scp: made from other audio
                (out / name).unlink()
    # utt2spk last: it is the table whose presence says that the directory is there.
    for path in sorted(temporary.iterdir(), key=lambda path: path.name == "utt2spk"):
        os.replace(path, out / path.name)


def _same_bytes(one: Path, two: Path) -> bool:
    if one.exists() and two.exists():
        return one.read_bytes() == two.read_bytes()
    return one.exists() == two.exists()
