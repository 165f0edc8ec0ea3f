"""What differs between the queues of clusters: how jobs are submitted, cancelled and asked for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ACTIVE, DONE = "active", "done"  # states of a task; any other text tells why it failed
STUCK = "stuck: "  # how such a text begins if the task is still in the queue and will never run
TIME_OVER = "time is over: "  # how it begins if a time limit struck, after which this queue runs no task again

_ASK_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Scheduler:
    """What one kind of queue adds. Tasks are numbers of the queue's array; a job that is no array is task 0."""

    name: str  # "Slurm"
    config_file: str  # a site's own, from where the jobs are started: "conf/slurm.conf"
    built_in_config: str
    task_variable: str
    array_flags: Callable[[Sequence[int], int | None], str]  # tasks, how many at once
    log_flags: Callable[[Path], str]  # where the queue writes what it has to say itself
    job_id: Callable[[str], str | None]  # from what the submit command prints
    states: Callable[[str, set[int]], dict[int, str] | None]  # of these tasks; None: the queue does not answer
    cancel: str  # the command, which takes a job's number
    unreachable: str  # regular expression: the submit command's error if the queue does not answer
    max_task: Callable[[], int]  # the highest number that a task of an array may have
    job_variables: str = "(?!)"  # regular expression: variables of a job around us, which are none of our jobs'
    array_lists: bool = False  # arrays such as 2,5,7 are possible, not only ranges
    limit_in_config: bool = False  # max_jobs_run is an option of the configuration file
    # Of jobs that may be started again: lines of the script by which the queue learns of it, and what they do for it.
    directives: tuple[str, ...] = ()
    start_again: str = ""
    remapped_statuses: tuple[int, ...] = ()


def ask(*words: str) -> subprocess.CompletedProcess:
    """Run one of the queue's own commands; one that is missing or hangs has failed."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=_ASK_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return subprocess.CompletedProcess(words, 1, "", str(fault))
