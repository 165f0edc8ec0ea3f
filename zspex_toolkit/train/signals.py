"""Asked to stop from outside: finish the step, save, leave."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from zspex_toolkit.launch.contract import INTERRUPTED_STATUS


class TrainingInterrupted(SystemExit):
    """Training was asked to stop; a checkpoint is saved on the way out.

    Ends the process with ``INTERRUPTED_STATUS``.
    """

    def __init__(self, signal_name: str):
        super().__init__(INTERRUPTED_STATUS)
        self.signal_name = signal_name


class StopSignals:
    """Context that turns SIGTERM and SIGUSR1 into a note; ``received`` is the signal's name, else None."""

    def __init__(self) -> None:
        self.received: str | None = None
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        # Python lets only the main thread set handlers; elsewhere the signals keep their effect.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGUSR1):
                self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def check(self, gather: Callable[[str | None], list[str | None]] = lambda name: [name]) -> None:
        """Raise TrainingInterrupted if a signal came to any of the processes from which ``gather`` asks."""
        for name in gather(self.received):
            if name:
                raise TrainingInterrupted(name)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name
