"""The file ``EXP_DIR/stopped`` of a training that was stopped from outside: the same command goes on from there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from zspex_toolkit.errors import UserError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.train.processes import Processes

_MAX_IN_VAIN = 5  # starts without a step, after which a queue must not start the training again


class StopMark:
    """What tells that a training is to be started again, as torchrun has no exit status for it.

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
