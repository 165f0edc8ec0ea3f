"""train.log: what a person reads, as plain lines with the time; the same on standard error."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tqdm import tqdm

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.processes import is_main_process


class TrainLog:
    """Appends lines to a file (none if ``path`` is None) and to standard error; of several processes, one does."""

    def __init__(self, path: Path | None):
        # Unbuffered: a line that does not fit on the disk must fail here, not a second time when the file is closed.
        self._mute = not is_main_process()
        self._file = open(path, "ab", buffering=0) if path and not self._mute else None  # noqa: SIM115 (closed on exit)

    def __call__(self, message: str) -> None:
        if self._mute:
            return
        line = f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {message}"
        if self._file:
            try:
                self._file.write(f"{line}\n".encode())
            except OSError as error:
                raise UserError(f"{self._file.name}: cannot write ({error.strerror})") from error
        tqdm.write(line, file=sys.stderr)  # above a progress bar, if there is one

    def __enter__(self) -> TrainLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()


def progress_bar(name: str, num_steps: int, done: int = 0) -> tqdm:
    """A bar on standard error if that is a terminal, else nothing; of several processes, one alone shows it."""
    disable = None if is_main_process() else True  # None: decided by the terminal
    return tqdm(desc=name, total=num_steps, initial=done, leave=False, disable=disable, dynamic_ncols=True)
