"""How far an array of jobs has come: lines in their logs, a bar on a terminal."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

_LINE = re.compile(r"^(\d+) of \d+ utterances$", re.MULTILINE)
_EVERY_S = 10.0


def logged_progress(utterances: Sequence[str]) -> Iterable[str]:
    """The utterances one by one, with a line ``12 of 345 utterances`` every 10 s and at the end."""
    last = time.monotonic()
    for done, utt in enumerate(utterances):
        if time.monotonic() - last > _EVERY_S:
            print(f"{done} of {len(utterances)} utterances", flush=True)
            last = time.monotonic()
        yield utt
    print(f"{len(utterances)} of {len(utterances)} utterances", flush=True)


@contextmanager
def showing_progress(logs: Sequence[Path], *, total: int, what: str) -> Iterator[None]:
    """While the block runs, a bar of what ``logs`` say, if standard error is a terminal."""
    for log in logs:
        log.unlink(missing_ok=True)  # what an earlier run said does not count
    if not sys.stderr.isatty():
        yield
        return
    stop = threading.Event()
    bar = tqdm(total=total, desc=what, unit="utt")

    def watch():
        while not stop.wait(0.5):
            bar.update(count_done(logs) - bar.n)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        bar.update(count_done(logs) - bar.n)
        bar.close()


def count_done(logs: Sequence[Path]) -> int:
    """Utterances that the jobs have done, by the last progress line of each log."""
    done = 0
    for log in logs:
        lines = _LINE.findall(log.read_text(encoding="utf-8", errors="replace")) if log.exists() else []
        done += int(lines[-1]) if lines else 0
    return done
