"""What a corpus held, what was kept and what was not, and why: nothing is dropped uncounted."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_text


class Account:
    """Counts the items (utterances or recordings) of one preparation.

    An item is left out on purpose (``leave_out``: a sentence type, a speaker over the limit) or for a fault
    (``drop``: a broken file, a wrong rate). Too many faults, as a share of what was not left out, stop the preparation.
    """

    def __init__(self, corpus: str, max_fault_share: float = 0.05):
        self.corpus = corpus
        self.max_fault_share = max_fault_share
        self.reasons: dict[str, str] = {}
        self.faults: dict[str, str] = {}

    def leave_out(self, item: str, reason: str) -> None:
        self.reasons[item] = reason

    def drop(self, item: str, reason: str) -> None:
        self.reasons[item] = self.faults[item] = reason

    def summary(self, num_kept: int) -> str:
        """``corpus: in N, kept K, dropped D (reason: n, ...)``, the most frequent reason first."""
        counts = sorted(Counter(self.reasons.values()).items(), key=lambda pair: (-pair[1], pair[0]))
        why = ", ".join(f"{reason}: {number}" for reason, number in counts)
        num_in = num_kept + len(self.reasons)
        return f"{self.corpus}: in {num_in}, kept {num_kept}, dropped {len(self.reasons)}" + (
            f" ({why})" if why else ""
        )

    def check(self, num_kept: int, corpus_dir: os.PathLike) -> None:
        """Refuse a preparation that kept nothing or met too many faults; call it before anything is written.

        Raises:
            DataDirError: with the counts and the first fault.
        """
        if num_kept == 0 and not self.reasons:
            raise DataDirError(f"{self.corpus}: found no recording under {corpus_dir}; is it the corpus's root?")
        first = next(iter(self.faults.items()), None)
        example = f"; first: {first[0]}: {first[1]}" if first else ""
        if num_kept == 0:
            raise DataDirError(f"{self.summary(num_kept)}: nothing is left of {corpus_dir}{example}")
        if len(self.faults) > self.max_fault_share * (num_kept + len(self.faults)):
            limit = f"more than the {100 * self.max_fault_share:g} % at fault that the option max_fault_share allows"
            raise DataDirError(f"{self.summary(num_kept)}: {limit}{example}; nothing was written")

    def report(self, num_kept: int, out: os.PathLike) -> None:
        """Print the summary and write ``out/dropped.txt``: ``<item> <reason>`` a line, sorted."""
        lines = (f"{item} {reason}\n" for item, reason in sorted(self.reasons.items()))
        Path(out).mkdir(parents=True, exist_ok=True)
        write_text(Path(out) / "dropped.txt", "".join(lines))
        print(self.summary(num_kept), flush=True)
