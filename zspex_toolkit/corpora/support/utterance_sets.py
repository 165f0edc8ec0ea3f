"""Utterances while a corpus is read: of one data directory, or of several that are written together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zspex_toolkit.corpora.support.account import Account
from zspex_toolkit.corpora.support.recordings import fault_of
from zspex_toolkit.io.table_set import write_tables


class Utterances:
    """Collects ``wav.scp``, ``utt2spk``, ``text`` and ``utt2num_samples``; the account counts what is not kept."""

    def __init__(self, corpus: str, fs: int, max_fault_share: float = 0.05, *, account: Account | None = None):
        self.account = account or Account(corpus, max_fault_share)
        self.fs = fs
        self.wavs: dict[str, str] = {}
        self.utt2spk: dict[str, str] = {}
        self.text: dict[str, str] = {}
        self.num_samples: dict[str, int] = {}

    def add_file(self, utt: str, spk: str, path: Path, text: str | None = None) -> None:
        """Keep a recording whose header fits, drop another one with the reason."""
        fault, num_samples = fault_of(path, self.fs)
        if fault:
            self.account.drop(utt, fault)
            return
        self.add_source(utt, spk, str(path), num_samples)
        if text is not None:
            self.text[utt] = text

    def add_source(self, utt: str, spk: str, source: str, num_samples: int | None = None) -> None:
        """Keep what stands in ``wav.scp``, checked before: a path or a command (``... |``); None: unknown length."""
        self.wavs[utt], self.utt2spk[utt] = source, spk
        if num_samples is not None:
            self.num_samples[utt] = num_samples

    def write(self, out: Path, corpus_dir: Path, **speaker_tables: Mapping[str, str]) -> list[Path]:
        """Write ``out/all`` and ``out/dropped.txt`` and print the counts.

        Args:
            speaker_tables: ``spk2gender``, ``spk2age``, ...; one that does not know every speaker is left away.

        Raises:
            DataDirError: if nothing or too little is left; nothing is written then.
        """
        self.account.check(len(self.wavs), corpus_dir)
        self.write_tables(Path(out, "all"), **speaker_tables)
        self.account.report(len(self.wavs), out)
        num_speakers = len(set(self.utt2spk.values()))
        print(f"{self.account.corpus}: {num_speakers} speakers in {Path(out, 'all')}", flush=True)
        return [Path(out, "all")]

    def write_tables(self, out: Path, **speaker_tables: Mapping[str, str]) -> None:
        """Write the data directory ``out`` only; arguments as for :meth:`write`."""
        speakers = set(self.utt2spk.values())
        tables = {
            name: {spk: table[spk] for spk in speakers}
            for name, table in speaker_tables.items()
            if speakers <= table.keys()
        }
        if len(self.num_samples) == len(self.wavs):
            tables["utt2num_samples"] = {utt: str(number) for utt, number in self.num_samples.items()}
        if len(self.text) == len(self.wavs):
            tables["text"] = self.text
        elif self.text:
            print(f"{self.account.corpus}: {len(self.wavs) - len(self.text)} utterances lack a transcript: no text")
        write_tables(out, {"wav.scp": self.wavs, "utt2spk": self.utt2spk, **tables})


class UtteranceSets:
    """The sets of a corpus by their names; items that are dropped go to one account."""

    def __init__(self, corpus: str, fs: int, max_fault_share: float, names: tuple[str, ...]):
        self.account = Account(corpus, max_fault_share)
        self.sets = {name: Utterances(corpus, fs, account=self.account) for name in names}

    def __getitem__(self, name: str) -> Utterances:
        return self.sets[name]

    def write(self, out: Path, corpus_dir: Path, **speaker_tables: Mapping[str, str]) -> list[Path]:
        """Write ``out/<name>`` of every set and ``out/dropped.txt`` and print the counts.

        Args:
            out: folder of the data directories.
            corpus_dir: the corpus's root, for messages.
            speaker_tables: ``spk2gender``, ...; one that does not know every speaker of a set is left away there.

        Raises:
            DataDirError: if nothing or too little is left; nothing is written then.
        """
        num_kept = sum(len(utterances.wavs) for utterances in self.sets.values())
        empty = [name for name, utterances in self.sets.items() if not utterances.wavs]
        self.account.check(0 if empty else num_kept, corpus_dir)
        for name, utterances in self.sets.items():
            utterances.write_tables(Path(out, name), **speaker_tables)
        self.account.report(num_kept, out)
        for name, utterances in self.sets.items():
            counts = f"{len(set(utterances.utt2spk.values()))} speakers, {len(utterances.wavs):,} utterances"
            print(f"{self.account.corpus}: {counts} in {Path(out, name)}", flush=True)
        return [Path(out, name) for name in self.sets]
