"""The trials of a data directory: fixed mixtures, references and enrollments."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from zspex_toolkit.data.embeddings import EmbeddingTable
from zspex_toolkit.data.trial_rows import NO_SPEAKER, TrialRow, collate_rows
from zspex_toolkit.errors import AudioError, DataDirError
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.compact_table import CompactTable
from zspex_toolkit.io.data_dir import DataDir

REFERENCE, ENROLLMENT, CONDITION = "spk1.scp", "enroll_spk1.scp", "utt2condition"
MAX_SPEAKERS = 9  # spk1.scp to spk9.scp are looked for
GIVEN_CLUE = "clue_spk1.scp"  # embeddings of enrollments, where clues come from elsewhere


class StoredTrials:
    """One row per line of ``wav.scp``, ``spk1.scp`` and ``enroll_spk1.scp``; the same in every epoch.

    Rows have all speech of their mixtures where the directory has it: ``spk2.scp``, ... of all trials but single ones.
    A target that begins only after ``max_seconds`` is absent.

    Args:
        path: trial directory; ``utt2condition`` (``present``, ``absent`` or ``single``) where not all are present.
        fs: rate of its audio in Hz.
        classes: numbers of the training speakers; the others count as unknown.
        max_seconds: only so much of the beginning of each mixture; 0: all.
        max_enrollment_seconds: only so much of the beginning of each enrollment; 0: all.

    Attributes:
        clues: embedding of each trial's enrollment, if the network takes such clues.

    Raises:
        DataDirError: if a trial has no mixture, reference or enrollment.
    """

    def __init__(
        self,
        path: str | PathLike,
        fs: int,
        *,
        classes: Mapping[str, int] | None = None,
        max_seconds: float = 0.0,
        max_enrollment_seconds: float = 0.0,
    ):
        data = DataDir.load(path)
        tables = {"wav.scp": data.wavs, REFERENCE: data.table(REFERENCE), ENROLLMENT: data.table(ENROLLMENT)}
        for name, table in tables.items():
            missing = [trial for trial in data.utterances if trial not in table]
            if missing:
                raise DataDirError(f"{data.path / name}: no line for trial '{missing[0]}'")
        self.data = data.compact()
        self.trials = self.data.utterances
        self.clues: EmbeddingTable | None = None
        self._fs = fs
        self._classes = classes or {}
        self._most = round(max_seconds * fs) or None
        self._most_enrollment = round(max_enrollment_seconds * fs) or None
        self._mixtures = self.data.wavs
        self._references = CompactTable.of_texts(tables[REFERENCE])
        self._enrollments = CompactTable.of_texts(tables[ENROLLMENT])
        has_conditions = (data.path / CONDITION).exists()
        self._conditions = CompactTable.of_texts(data.table(CONDITION) if has_conditions else {})
        self._others = self._find_others(data)

    def __len__(self) -> int:
        return len(self.trials)

    def name(self, index: int) -> str:
        """The trial's id."""
        return self.trials[index]

    def size(self, index: int) -> int:
        """Samples of mixture and enrollment together, by which a dry run finds the largest trials."""
        return sum(
            min(audio_info(source).num_samples, most or float("inf"))
            for source, most in (
                (self._mixtures[self.trials[index]], self._most),
                (self._enrollments[self.trials[index]], self._most_enrollment),
            )
        )

    def get(self, epoch: int, index: int) -> TrialRow:
        """The trial, the same in every epoch.

        Raises:
            AudioError: if audio is missing, broken or of another rate; names the trial.
            DataDirError: if mixture and reference differ in length.
        """
        trial = self.trials[index]
        mixture, target = (self._read(table[trial], trial) for table in (self._mixtures, self._references))
        if len(mixture) != len(target):
            raise DataDirError(
                f"{trial}: expected {len(mixture)} samples of reference, as mixture, found {len(target)}"
            )
        mixture, target = mixture[: self._most], target[: self._most]
        condition = self._conditions.get(trial, "present")
        present = condition != "absent" and (self._most is None or bool(target.any()))
        return TrialRow(
            trial,
            mixture,
            target,
            self._read(self._enrollments[trial], trial)[: self._most_enrollment],
            self._classes.get(self.data.utt2spk[trial], NO_SPEAKER),
            present=present,
            alone=present and (condition == "single" or (self._most is not None and np.array_equal(mixture, target))),
            sources=self._sources(trial, [] if condition == "absent" else [target]),
            clue_embedding=None if self.clues is None else self.clues.mean([trial]),
        )

    def _find_others(self, data: DataDir) -> list[CompactTable] | None:
        """``spk2.scp`` and further, if they have all speech of all mixtures."""
        names = [f"spk{number}.scp" for number in range(2, MAX_SPEAKERS + 1)]
        others = [CompactTable.of_texts(data.table(name)) for name in names if (data.path / name).exists()]
        mixed = [trial for trial in self.trials if self._conditions.get(trial, "present") != "single"]
        return others if not mixed or (others and all(trial in others[0] for trial in mixed)) else None

    def _sources(self, trial: str, target: list[np.ndarray]) -> list[np.ndarray] | None:
        if self._others is None:
            return None
        return target + [self._read(table[trial], trial)[: self._most] for table in self._others if trial in table]

    @staticmethod
    def collate(items: list[TrialRow]) -> dict[str, Any]:
        """One row of each item; see :func:`~zspex_toolkit.data.trial_rows.collate_rows`."""
        return collate_rows([[row] for row in items])

    def _read(self, source: str, trial: str) -> np.ndarray:
        try:
            return read_audio(source, fs=self._fs)[0]
        except AudioError as error:
            raise AudioError(f"{trial}: {error}") from error
