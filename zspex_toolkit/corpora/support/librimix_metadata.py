"""LibriMix's metadata: ``libri2mix_<subset>.csv``, which mixes what at which gains, and ``_info.csv``, who speaks."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.io.number_text import decimal

COLUMNS = ("mixture_ID", "source_1_path", "source_1_gain", "source_2_path", "source_2_gain", "noise_path", "noise_gain")
INFO_COLUMNS = ("mixture_ID", "speaker_1_ID", "speaker_1_sex", "speaker_2_ID", "speaker_2_sex")


@dataclass(frozen=True)
class Row:
    """One mixture; paths are relative to the roots of LibriSpeech and WHAM."""

    id: str
    sources: tuple[str, str]
    gains: tuple[float, float]
    noise: str
    noise_gain: float

    @property
    def utterances(self) -> tuple[str, str]:
        return Path(self.sources[0]).stem, Path(self.sources[1]).stem


def read_metadata(path: Path) -> list[Row]:
    """The mixtures of ``libri2mix_<subset>.csv``.

    Raises:
        DataDirError: with ``file:line``, for missing columns, a malformed line or a second mixture of one id.
    """
    rows: dict[str, Row] = {}
    for number, fields in _lines(path, COLUMNS):
        try:
            gains = [decimal(fields[name]) for name in ("source_1_gain", "source_2_gain", "noise_gain")]
        except ValueError as fault:
            raise DataDirError(f"{path}:{number}: expected gains as numbers, {fault}") from fault
        sources = fields["source_1_path"], fields["source_2_path"]
        row = Row(fields["mixture_ID"], sources, (gains[0], gains[1]), fields["noise_path"], gains[2])
        if row.id != "_".join(row.utterances):
            raise DataDirError(f"{path}:{number}: mixture '{row.id}' is not named by its sources {row.utterances}")
        if row.id in rows:
            raise DataDirError(f"{path}:{number}: mixture '{row.id}' is there twice")
        rows[row.id] = row
    return list(rows.values())


def read_genders(path: Path) -> dict[str, str]:
    """``m`` or ``f`` of every speaker in ``libri2mix_<subset>_info.csv``, where ids are written as floats (``5895.0``).

    Raises:
        DataDirError: with ``file:line``, for missing columns or a malformed line.
    """
    genders = {}
    for number, fields in _lines(path, INFO_COLUMNS):
        for one in ("speaker_1", "speaker_2"):
            sex = fields[f"{one}_sex"].strip().lower()
            try:
                speaker = str(int(decimal(fields[f"{one}_ID"])))
                genders[speaker] = {"f": "f", "m": "m"}[sex]
            except (ValueError, KeyError) as fault:
                found = f"{fields[f'{one}_ID']},{fields[f'{one}_sex']}"
                raise DataDirError(f"{path}:{number}: expected a speaker and M or F, got '{found}'") from fault
    return genders


def read_speakers(path: Path) -> dict[str, str]:
    """``m`` or ``f`` of all speakers in LibriSpeech's ``SPEAKERS.TXT`` (``14 | F | train-clean-360 | 25.03 | Ann``)."""
    fields = [line.split("|") for line in read_lines(path) if not line.startswith(";")]
    return {line[0].strip(): line[1].strip().lower() for line in fields if len(line) >= 2}


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise DataDirError(f"{path}:1: expected the columns {','.join(columns)}; {', '.join(missing)} missing")
        for fields in reader:
            if None in fields or None in fields.values():
                expected = f"{len(reader.fieldnames)} fields separated by commas"
                raise DataDirError(f"{path}:{reader.line_num}: expected {expected}")
            yield reader.line_num, fields
