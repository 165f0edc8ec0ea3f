"""A Kaldi data directory in memory: who said what, in which file."""

from __future__ import annotations

import operator
import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import AudioError, DataDirError
from zspex_toolkit.io.archive import ArrayTable, read_scp
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.compact_table import Choices, CompactTable, Groups, Rows, Texts
from zspex_toolkit.io.number_text import decimal, whole_number
from zspex_toolkit.io.table import invert, read_table
from zspex_toolkit.io.whole_recordings import WholeRecordings


@dataclass(frozen=True)
class DataDir:
    """The tables of a data directory.

    Attributes:
        path: the directory.
        utt2spk: utterance -> speaker, in the file's order.
        spk2utt: speaker -> utterances; derived from ``utt2spk``.
        wavs: utterance (recording, where there is ``segments``) -> path, ``ark:offset`` or ``command |``.
        segments: utterance -> (recording, start in s, end in s); None where a recording is an utterance.
    """

    path: Path
    utt2spk: Mapping[str, str]
    spk2utt: Mapping[str, list[str]]
    wavs: Mapping[str, str]
    segments: Mapping[str, tuple[str, float, float]] | None
    _whole: WholeRecordings = field(default_factory=WholeRecordings, repr=False, compare=False)

    @classmethod
    def load(cls, path: str | os.PathLike) -> DataDir:
        """Read the directory at ``path``; ``validate_data_dir`` checks more.

        Raises:
            DataDirError: if ``utt2spk`` is missing or empty, or a table breaks its format; with ``file:line``.
        """
        path = Path(path)
        if not path.is_dir():
            raise DataDirError(f"{path}: no such data directory")
        utt2spk = read_table(path / "utt2spk")
        if not utt2spk:
            raise DataDirError(f"{path}/utt2spk: empty file")
        wavs = read_table(path / "wav.scp") if (path / "wav.scp").exists() else {}
        segments = read_segments(path / "segments") if (path / "segments").exists() else None
        return cls(path, utt2spk, invert(utt2spk), wavs, segments)

    def compact(self) -> DataDir:
        """The same in memory that processes share for good, if its tables are sorted by their keys."""
        if not all(_is_sorted(table) for table in (self.utt2spk, self.wavs, self.segments or {})):
            return self
        utterances, speakers = Texts(self.utt2spk), sorted(self.spk2utt)
        speaker_of = Choices(self.utt2spk.values(), speakers)
        recordings = utterances if self.wavs.keys() == self.utt2spk.keys() else Texts(self.wavs)
        return replace(
            self,
            utt2spk=CompactTable(utterances, speaker_of),
            spk2utt=Groups(utterances, speaker_of, speakers),
            wavs=CompactTable(recordings, Texts(self.wavs.values())),
            segments=None if self.segments is None else _compact_segments(self.segments),
        )

    @property
    def utterances(self) -> Sequence[str]:
        """Utterances in the order of ``utt2spk``."""
        return self.utt2spk.keys_in_order if isinstance(self.utt2spk, CompactTable) else list(self.utt2spk)

    def read_audio(self, utt: str, fs: int | None = None) -> tuple[np.ndarray, int]:
        """Samples of one utterance, float32 (T,) in [-1, 1], and their rate in Hz.

        Raises:
            AudioError: as :func:`zspex_toolkit.io.audio.read_audio` does; the message names the utterance.
            DataDirError: if the directory does not know the utterance.
        """
        recording, start_s, end_s = (utt, 0.0, -1.0) if self.segments is None else self._segment(utt)
        if recording not in self.wavs:
            raise DataDirError(f"{self.path}/wav.scp: no line for '{recording}'")
        source = self.wavs[recording]
        try:
            if self.segments is None:
                return read_audio(source, fs=fs)
            return self._whole.read_segment(source, start_s, end_s, fs)
        except AudioError as error:
            raise AudioError(f"{utt}: {error}") from error

    def source(self, utt: str) -> str:
        """What ``wav.scp`` says of the recording of an utterance; empty if it or ``segments`` has no line for it."""
        recording = utt if self.segments is None else self.segments.get(utt, ("",))[0]
        return self.wavs.get(recording, "")

    def table(self, name: str) -> dict[str, str]:
        """The table ``name`` of this directory, such as ``utt2num_samples`` or ``spk1.scp``."""
        return read_table(self.path / name)

    def counts(self, name: str) -> dict[str, int]:
        """The table ``name`` of whole numbers, such as ``utt2num_samples``.

        Raises:
            DataDirError: with ``file:line``, for a value that is no whole number above 0.
        """
        table, counts = self.table(name), {}
        for line, (key, value) in enumerate(table.items(), start=1):
            try:
                counts[key] = whole_number(value)
            except ValueError as error:
                raise DataDirError(f"{self.path / name}:{line}: {error} for '{key}'") from error
            if not counts[key]:
                raise DataDirError(f"{self.path / name}:{line}: expected a number above 0 for '{key}', got 0")
        return counts

    def feature_table(self, name: str = "feats.scp") -> ArrayTable:
        """The arrays of ``feats.scp``, ``vad.scp``, ..., read when asked for."""
        return read_scp(self.path / name)

    def _segment(self, utt: str) -> tuple[str, float, float]:
        if utt not in self.segments:
            raise DataDirError(f"{self.path}/segments: no line for '{utt}'")
        return self.segments[utt]


def _is_sorted(table: Mapping[str, object]) -> bool:
    return all(map(operator.lt, table, islice(table, 1, None)))


def _compact_segments(segments: Mapping[str, tuple[str, float, float]]) -> CompactTable[tuple[str, float, float]]:
    recordings, starts, ends = ([row[column] for row in segments.values()] for column in range(3))
    of_recordings = Choices(recordings, sorted(set(recordings)))
    return CompactTable(Texts(segments), Rows(of_recordings, array("d", starts), array("d", ends)))


def read_segments(path: str | os.PathLike) -> dict[str, tuple[str, float, float]]:
    """utterance -> (recording, start in s, end in s); an end of -1 is the recording's end, as in Kaldi.

    Raises:
        DataDirError: with ``file:line`` for a line that is not ``<utt> <reco> <start> <end>`` with end > start.
    """
    segments = {}
    for number, (utt, value) in enumerate(read_table(path).items(), start=1):
        try:
            recording, start, end = value.split()
            segments[utt] = (recording, decimal(start), decimal(end))
        except ValueError as error:
            raise DataDirError(
                f"{path}:{number}: expected '<utt> <reco> <start> <end>', got '{utt} {value}'"
            ) from error
        start_s, end_s = segments[utt][1:]
        if start_s < 0 or not (start_s < end_s or end_s == -1):
            raise DataDirError(f"{path}:{number}: expected 0 <= start < end in seconds, got '{utt} {value}'")
    return segments
