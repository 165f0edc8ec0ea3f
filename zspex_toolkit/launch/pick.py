"""Which jobs of an array are to be run, by how the logs of an earlier run end (``--pick``)."""

from __future__ import annotations

from zspex_toolkit.launch import job_log
from zspex_toolkit.launch.contract import Jobs


def pick(jobs: Jobs) -> tuple[list[int], list[int]]:
    """Numbers of the jobs to run, and of those that failed before and are left so (``--pick incomplete``)."""
    waiting, failed = [], []
    for number in jobs.numbers:
        how = job_log.ending(jobs.log_of(number)) if jobs.pick != "all" else None
        if how is None or (how != "0" and jobs.pick == "failed"):
            waiting.append(number)
        elif how != "0":
            failed.append(number)
    return waiting, failed
