"""Run an array of jobs through a command that keeps Kaldi's contract: ours, or a site's own ``queue.pl``."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zspex_toolkit.errors import ConfigError, JobError
from zspex_toolkit.launch import job_log
from zspex_toolkit.launch.contract import Jobs, literal, parse
from zspex_toolkit.registry import load

OURS = "python -m zspex_toolkit.bin.run_jobs"


def run_jobs(command: str = "", *, num_jobs: int, log: Path | str, argv: Sequence[str]) -> None:
    """Run ``argv`` ``num_jobs`` times, with ``JOB`` in it and in ``log`` replaced by 1..num_jobs, and wait for all.

    Args:
        command: the ``$cmd`` string, such as ``"queue.pl --mem 4G"``; our own command with its options, or none, runs
            in this process, on the chosen back end (``local`` by default).
        log: log file; must hold ``JOB`` if there is more than one job.
        argv: the program and its arguments, each taken literally (no shell characters act).

    Raises:
        JobError: if a job failed; the message ends with the last lines of the first failed job's log and its path.
        ConfigError: if the contract is broken.
    """
    words = [f"JOB=1:{num_jobs}", str(log), *(literal(str(argument)) for argument in argv)]
    program = shlex.split(command or OURS)
    ours = shlex.split(OURS)[1:]
    if program[1 : 1 + len(ours)] == ours:
        run_array(parse(program[1 + len(ours) :] + words))
        return
    try:
        status = subprocess.run([*program, *words], check=False).returncode
    except OSError as fault:
        raise ConfigError(f"cannot run the job command '{program[0]}': {fault.strerror}; see cmd.sh") from fault
    if status != 0:
        jobs = parse(words)
        raise JobError(_summary(jobs, [n for n in jobs.numbers if job_log.ending(jobs.log_of(n)) != "0"]))


def run_array(jobs: Jobs) -> None:
    """Run ``jobs`` on the back end they name, the failed ones up to ``--num_tries`` times, or print what would run.

    Raises:
        JobError: if a job failed in every try, with the first error in the message.
    """
    backend = load("launch.backends", jobs.backend)
    failed = backend(jobs)
    for attempt in range(2, jobs.num_tries + 1):
        if not failed:
            break
        listed = ", ".join(f"{number} ({job_log.ending(jobs.log_of(number)) or 'no end'})" for number in failed)
        print(
            f"run_jobs: failed: {listed}; try {attempt} of {jobs.num_tries}, log: {jobs.log_pattern}", file=sys.stderr
        )
        failed = backend(replace(jobs, chosen=tuple(sorted(failed)), pick="all"))
    if failed:
        raise JobError(_summary(jobs, failed))


def _summary(jobs: Jobs, failed: list[int]) -> str:
    if not failed:  # the command itself failed, though every log says that its job ended well
        return f"the job command failed; log is in {jobs.log_pattern}"
    return job_log.failure_summary(jobs.log_pattern, [jobs.log_of(number) for number in failed], len(jobs.numbers))
