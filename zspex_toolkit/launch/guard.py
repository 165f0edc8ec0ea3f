"""A process beside ours that ends our jobs where we cannot: when we were killed with SIGKILL."""

from __future__ import annotations

import subprocess
from contextlib import suppress

GRACE_S = 60  # between SIGTERM and SIGKILL: training saves a checkpoint in this time

# It reads which groups of processes run (+), which ended (-), and that it may go (.); our death ends what it reads.
_SCRIPT = """\
declare -A running
while read -r sign group; do
    case $sign in
        +) running[$group]=yes ;;
        -) unset "running[$group]" ;;
        .) exit ;;
    esac
done
for ((left_s = $1; left_s >= 0; left_s--)); do
    for group in "${!running[@]}"; do
        if ((left_s == $1)); then kill -TERM -- "-$group"; fi
        if ((left_s == 0)); then kill -KILL -- "-$group"; fi
        kill -0 -- "-$group" || unset "running[$group]"
    done
    ((${#running[@]})) || break
    sleep 1
done"""


class Guard:
    """Context in which jobs, each a group of processes, are made known; the process is told of them through a pipe."""

    def __enter__(self) -> Guard:
        self._process = subprocess.Popen(
            ["bash", "-c", _SCRIPT, "run_jobs: guard", str(GRACE_S)],
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
