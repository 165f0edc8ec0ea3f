"""Ctrl-C and ``kill`` as an exception, so that running jobs are ended before we are."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

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
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within, the signals go to ``handler``; not outside the main thread, where Python lets none be set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {kind: signal.signal(kind, handler) for kind in _SIGNALS}
    try:
        yield
    finally:
        for kind, former in before.items():
            signal.signal(kind, former)


def raise_on_signals() -> AbstractContextManager[None]:
    """Within, SIGINT, SIGTERM and SIGHUP raise InterruptedJobsError once; further ones wait until the clean-up is over.

    Does nothing outside the main thread.
    """

    def stop(signum, frame):
        if _Held.now:
            _Held.pending = signum
            return
        for kind in _SIGNALS:
            signal.signal(kind, signal.SIG_IGN)
        raise InterruptedJobsError(f"interrupted by {signal.Signals(signum).name}; the running jobs were ended")

    return _handled_by(stop)


@contextmanager
def next_signal() -> Iterator[threading.Event]:
    """While we clean up after a signal: the event is set by a further one, which means that there is no time for it."""
    told, begin = threading.Event(), time.monotonic()

    def tell(signum, frame):
        if time.monotonic() - begin > _SAME_S:
            told.set()

    with _handled_by(tell):
        yield told


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
