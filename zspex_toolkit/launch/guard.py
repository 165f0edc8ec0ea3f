"""A process beside ours that ends our jobs where we cannot: when we were killed with SIGKILL."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

GRACE_S = 60  # between SIGTERM and SIGKILL: training saves a checkpoint in this time
_SCRIPT = Path(__file__).with_name("guard.sh")


class Guard:
    """Context in which jobs, each a group of processes, are made known; the process is told of them through a pipe."""

    def __enter__(self) -> Guard:
        self._process = subprocess.Popen(
            ["bash", str(_SCRIPT), str(GRACE_S)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            start_new_session=True,  # what is sent to our group, by Ctrl-C or a scheduler, must not end it
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._tell(".\n")  # what is left of groups that we have ended, such as zombies, is none of its business
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def started(self, group: int) -> None:
        """End this group if we are killed."""
        self._tell(f"+ {group}\n")

    def ended(self, group: int) -> None:
        """The group has ended; its number may soon be another's."""
        self._tell(f"- {group}\n")

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # it was killed: jobs run without it
            self._process.stdin.write(line)
