"""Ctrl-C and ``kill`` as an exception, so that running jobs are ended before we are."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zspex_toolkit.errors import JobError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedJobsError(JobError):
    """We were told to stop; all jobs have been ended."""


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Within, SIGINT, SIGTERM and SIGHUP raise InterruptedJobsError once; further ones wait until the clean-up is over.

    Does nothing outside the main thread, where Python lets no signal handler be set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum, frame):
        for kind in _SIGNALS:
            signal.signal(kind, signal.SIG_IGN)
        raise InterruptedJobsError(f"interrupted by {signal.Signals(signum).name}; the running jobs were ended")

    before = {kind: signal.signal(kind, stop) for kind in _SIGNALS}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
