"""Ctrl-C and ``kill`` as an exception, so that running jobs are ended before we are."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from zspex_toolkit.errors import JobError

# Not SIGHUP below nohup, which protects from a terminal that closes.
_SIGNALS = (signal.SIGINT, signal.SIGTERM) + (signal.SIGHUP,) * (signal.getsignal(signal.SIGHUP) != signal.SIG_IGN)
_SAME_S = 0.5  # what tells all processes to end, as timeout and containers do, may tell us twice


class InterruptedJobsError(JobError):
    """We were told to stop; all jobs have been ended."""


class _Held:
    """Whether signals have to wait, and the one that does."""

    now = False
    pending: int | None = None


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Within, SIGINT, SIGTERM and SIGHUP raise InterruptedJobsError once; further ones wait until the clean-up is over.

    Does nothing outside the main thread, where Python lets no signal handler be set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum, frame):
        if _Held.now:
            _Held.pending = signum
            return
        for kind in _SIGNALS:
            signal.signal(kind, signal.SIG_IGN)
        raise InterruptedJobsError(f"interrupted by {signal.Signals(signum).name}; the running jobs were ended")

    before = {kind: signal.signal(kind, stop) for kind in _SIGNALS}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


@contextmanager
def next_signal() -> Iterator[threading.Event]:
    """While we clean up after a signal: the event is set by a further one, which means that there is no time for it."""
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    begin = time.monotonic()

    def tell(signum, frame):
        if time.monotonic() - begin > _SAME_S:
            told.set()

    before = {kind: signal.signal(kind, tell) for kind in _SIGNALS}
    try:
        yield told
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


@contextmanager
def signals_held() -> Iterator[None]:
    """Within, what ``raise_on_signals`` would raise waits: none falls between starting a job and knowing its id."""
    _Held.now = True
    try:
        yield
    finally:
        _Held.now = False
        pending, _Held.pending = _Held.pending, None
        if pending is not None:
            signal.raise_signal(signal.Signals(pending))
