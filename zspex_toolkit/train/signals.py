"""Asked to stop from outside: finish the step, save, leave, and tell that the training is to be started again."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from zspex_toolkit.errors import UserError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.launch.contract import INTERRUPTED_STATUS

if TYPE_CHECKING:  # it imports this module
    from zspex_toolkit.train.processes import Processes

_MAX_IN_VAIN = 5  # starts without a step, after which a queue must not start the training again


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


class StopMark:
    """The file ``EXP_DIR/stopped``: the same command goes on from there. torchrun has no exit status for that.

    Made after a training has found its place, ``step``, and before its first step; all its processes make one.
    """

    def __init__(self, exp_dir: Path, step: int, processes: Processes):
        self._path, self._step, self._processes = exp_dir / "stopped", step, processes
        self._in_vain = 0  # starts so far, one after another, that ended where they began
        if processes.is_main and self._path.exists():
            self._in_vain = json.loads(self._path.read_text(encoding="utf-8")).get("starts_in_vain", 0)

    def remove(self) -> None:
        """The training goes on; the main process calls this."""
        self._path.unlink(missing_ok=True)

    def leave(self, signal_name: str, checkpoint: str, step: int) -> None:
        """The training was stopped at ``step``; all processes call this.

        Raises:
            UserError: if it came no step further, again and again; the file is not left then.
        """
        in_vain = self._processes.gather(self._in_vain)[0] + 1 if step == self._step else 0
        if in_vain >= _MAX_IN_VAIN:
            raise UserError(
                f"{self._path.parent}: stopped by {signal_name} {in_vain} times in a row without a step in between, "
                "giving up; a validation must fit into the time of a job (--time)"
            )
        if self._processes.is_main:
            mark = {"signal": signal_name, "checkpoint": checkpoint, "starts_in_vain": in_vain}
            # By its own word the starter tells this mark from those of other trainings.
            write_json(self._path, {**mark, "start": os.environ.get("ZSPEX_START", "")})
