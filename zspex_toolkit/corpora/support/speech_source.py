"""A data directory or corpus as a user names it, ``DIR``, ``NAME=DIR`` or ``CORPUS/SET=DIR``, under ids of its own."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

from zspex_toolkit.corpora.support.prepare import PrepareConfig, prepare_corpus
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.known_tables import is_trial_dir
from zspex_toolkit.io.table_set import Tables, read_tables
from zspex_toolkit.registry import available, load_module

_KEPT = ("utt2spk", "wav.scp", "segments", "text", "spk2gender")
_WORD = re.compile(r"(?:(?P<name>[A-Za-z0-9][\w.]*)(?:/(?P<set>[\w-]+))?=)?(?P<folder>.+)")
_OPTIONAL_PLACE = re.compile(r"(.+?)((?::\d+(?::\w+)?)?)")


@dataclass(frozen=True)
class SpeechSource:
    """The speech of one directory.

    Attributes:
        word: what the user has written.
        name: of the corpus; each id begins with it.
        named: whether the user, and not the folder, gave the name.
        speakers: as the directory calls them.
        sounds: recording, with start and end if there are ``segments``, of each utterance, as ``tables`` call it.
        tables: ``utt2spk``, ``wav.scp`` with absolute paths, and what there is of ``segments``, ``text`` and
            ``spk2gender``.
    """

    word: str
    name: str
    named: bool
    speakers: frozenset[str]
    sounds: Mapping[str, str]
    tables: Tables


@dataclass(frozen=True)
class SourceReader:
    """Reads sources, and prepares each corpus of the toolkit once.

    Args:
        out: folder of the data directories of prepared corpora.
        start: folder that relative paths may be meant from.
        fs: rate of prepared corpora in Hz.
        options: of the corpora, by corpus.
    """

    out: Path
    start: Path
    fs: int
    options: Mapping[str, dict[str, str | bool | int | float]]

    def read(self, word: str, default_set: str) -> SpeechSource:
        """The speech that ``word`` names.

        Args:
            word: ``DIR``, ``NAME=DIR``, ``CORPUS=DIR`` or ``CORPUS/SET=DIR``.
            default_set: of a corpus that is not written as one set ``all``, where the word names none.

        Raises:
            ConfigError: if the word is malformed, or the folder neither a data directory nor a known corpus.
            DataDirError: if the directory is malformed or lacks audio, with ``file:line``.
        """
        found = _WORD.fullmatch(word)
        if found is None:
            raise ConfigError("expected data directories DIR or NAME=DIR, or corpora CORPUS=DIR, got an empty word")
        name, subset, folder = found["name"], found["set"], Path(found["folder"])
        path = folder
        if subset is not None or not any((folder / table).is_file() for table in ("wav.scp", "utt2spk")):
            if name not in available("corpora"):
                raise ConfigError(
                    f"{word}: expected a data directory (a folder with wav.scp and utt2spk), or one of the corpora "
                    f"{', '.join(available('corpora'))} as CORPUS=DIR, found neither"
                )
            path = self._prepared(name, folder, subset, default_set)
        label = name or re.sub(r"[^\w.]", "_", folder.resolve().name, flags=re.ASCII)
        return _source(word, label, name is not None, path, self.start)

    def _prepared(self, corpus: str, folder: Path, subset: str | None, default_set: str) -> Path:
        out = self.out / corpus / re.sub(r"[^\w.-]", "_", str(folder).strip("/"))
        if not out.exists():
            options = dict(self.options.get(corpus, {}))
            known = signature(load_module("corpora", corpus).prepare).parameters
            if subset not in (None, "all") and "own_sets" in known:
                options.setdefault("own_sets", True)  # what else could be meant by naming one of them
            prepare_corpus(PrepareConfig(corpus, folder, out, self.fs, options))
        sets = sorted(path.parent.name for path in out.glob("*/utt2spk"))
        wanted = subset or ("all" if "all" in sets else default_set)
        if wanted not in sets:
            raise ConfigError(
                f"{corpus}/{wanted}: no such set; {corpus} was prepared as {', '.join(sets)}; "
                "name one of these, CORPUS/SET=DIR, or give the option of the corpus that writes it"
            )
        return out / wanted


def _source(word: str, name: str, named: bool, path: Path, start: Path) -> SpeechSource:
    if is_trial_dir(path):
        raise DataDirError(f"{path}: expected recordings of single speakers, found trials (utt2condition)")
    tables, _ = read_tables(path)
    if "wav.scp" not in tables:
        raise DataDirError(f"{path}/wav.scp: no such file")
    _check_recordings(path, tables)
    wavs = absolute_wavs(path, tables["wav.scp"], start)
    renamed = _renamed(name, {**tables, "wav.scp": wavs})
    if "segments" in renamed:
        sounds = {utt: " ".join([renamed["wav.scp"][row.split()[0]], *row.split()[1:]])
                  for utt, row in renamed["segments"].items()}  # fmt: skip
    else:
        sounds = renamed["wav.scp"]
    return SpeechSource(word, name, named, frozenset(tables["utt2spk"].values()), sounds, renamed)


def _check_recordings(path: Path, tables: Tables) -> None:
    """Every utterance has audio, and all audio a speaker."""
    spoken = tables.get("segments", tables["wav.scp"])
    table = "segments" if "segments" in tables else "wav.scp"
    for there, name, lacking in ((tables["utt2spk"], table, spoken), (spoken, "utt2spk", tables["utt2spk"])):
        lost = next((utt for utt in there if utt not in lacking), None)
        if lost is not None:
            raise DataDirError(f"{path}/{name}: no line for '{lost}'; fix_data_dir keeps what all tables share")
    for utt, row in tables.get("segments", {}).items():
        if row.split()[0] not in tables["wav.scp"]:
            raise DataDirError(f"{path}/wav.scp: no line for '{row.split()[0]}', the recording of '{utt}'")


def _renamed(name: str, tables: Tables) -> Tables:
    """Ids that begin with the corpus, and those of utterances with their speaker, too, so that all sort by speaker."""
    utt2spk = tables["utt2spk"]
    utts = {
        utt: f"{name}-{utt}" if utt.startswith(f"{spk}-") else f"{name}-{spk}-{utt}" for utt, spk in utt2spk.items()
    }
    if len(set(utts.values())) < len(utts):
        twice = next(utt for utt, spk in utt2spk.items() if utt2spk.get(f"{spk}-{utt}") == spk)
        raise DataDirError(f"{name}: utterances '{twice}' and '{utt2spk[twice]}-{twice}' of one speaker: rename one")
    renamed: Tables = {}
    for table in (table for table in _KEPT if table in tables):
        rows = tables[table]
        if table == "utt2spk":
            renamed[table] = {utts[utt]: f"{name}-{spk}" for utt, spk in rows.items()}
        elif table == "spk2gender" or (table == "wav.scp" and "segments" in tables):
            renamed[table] = {f"{name}-{key}": value for key, value in rows.items()}
        elif table == "segments":
            renamed[table] = {utts[utt]: f"{name}-{row}" for utt, row in rows.items()}
        else:
            renamed[table] = {utts[utt]: value for utt, value in rows.items() if utt in utts}
    return renamed


def absolute_wavs(path: Path, wavs: Mapping[str, str], start: Path) -> dict[str, str]:
    """The values of ``path/wav.scp`` with absolute paths; commands run in ``start``.

    A relative path is meant from where the user stands, as in Kaldi, else from the directory itself, else from one of
    the two folders around it: all paths of a table from the same one.

    Raises:
        DataDirError: naming the line of the first file that is in none of them.
    """
    start, absolute, base = Path(os.path.abspath(start)), {}, None
    directory = Path(os.path.abspath(path))
    bases = (start, directory, *directory.parents[:2])
    for number, (key, value) in enumerate(wavs.items(), start=1):
        if value.endswith("|"):
            absolute[key] = f"cd {shlex.quote(str(start))} && {{ {value[:-1].strip()}; }} |"
            continue
        file, place = _OPTIONAL_PLACE.fullmatch(value).groups()
        if os.path.isabs(file):
            absolute[key] = value
            continue
        base = base or next((folder for folder in bases if (folder / file).exists()), None)
        if base is None or not (base / file).exists():
            looked = ", ".join(str(folder) for folder in ([base] if base else dict.fromkeys(bases)))
            raise DataDirError(
                f"{path}/wav.scp:{number}: expected a file, found no '{file}' in {looked}; write absolute paths"
            )
        absolute[key] = f"{base / file}{place}"
    return absolute
