"""Data directories of one corpus, such as train, dev and test: counted together, written together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zspex_toolkit.corpora._account import Account
from zspex_toolkit.corpora._utterances import Utterances


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
