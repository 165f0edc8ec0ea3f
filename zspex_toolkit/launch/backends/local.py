"""Jobs as processes of this machine, as many at once as it has processors (or GPUs, for ``--gpu N``)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.launch import job_log, left_over
from zspex_toolkit.launch.contract import Jobs
from zspex_toolkit.launch.interruption import next_signal, raise_on_signals, signals_held
from zspex_toolkit.launch.job_script import PATIENCE

__all__ = ["run"]

GRACE_S = 60  # between SIGTERM and SIGKILL: training saves a checkpoint in this time
_GUARD = Path(__file__).parents[1] / "guard.sh"
_POLL_S = 0.02
_HIDDEN = ("", "-1", "NoDevFiles")  # values of CUDA_VISIBLE_DEVICES by which a user or a queue gives no GPU
_TOLD_AFTER_S = 1.0  # of waiting for jobs that were told to end


class Guard:
    """A process beside ours that ends our jobs where we cannot: when we were killed with SIGKILL.

    A context in which jobs, each a group of processes, are made known to it through a pipe.
    """

    def __enter__(self) -> Guard:
        self._process = subprocess.Popen(
            ["bash", str(_GUARD), str(GRACE_S)],
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


@dataclass
class _Running:
    number: int
    process: subprocess.Popen
    started: float
    gpus: list[str]


def run(jobs: Jobs) -> list[int]:
    """Run all jobs to their end, those that fail too; for a dry run, print their commands.

    Returns:
        Numbers of the failed jobs, in the order in which they ended.

    Raises:
        InterruptedJobsError: on SIGINT, SIGTERM or SIGHUP, after every running job has been ended.
        JobError: if a log cannot be written, or the same jobs, of an earlier start, may still be in a queue.
    """
    if jobs.dry_run:
        for number in jobs.numbers:
            print(f"{jobs.fill(jobs.command, number)} > {jobs.log_of(number)} 2>&1")
        return []
    left_over.refuse(left_over.note_of(jobs))
    gpus = _visible_gpus() if jobs.gpu else []
    limit = jobs.max_jobs_run or _default_limit(jobs, len(gpus))
    gpus *= -(-limit * jobs.gpu // len(gpus)) if gpus else 0  # with more jobs than GPUs, jobs share them evenly
    (waiting, failed), running = job_log.pick(jobs), []
    with raise_on_signals(), Guard() as guard:
        try:
            while waiting or running:
                while waiting and len(running) < limit:
                    with signals_held():
                        running.append(_start(jobs, waiting.pop(0), gpus))
                        guard.started(running[-1].process.pid)
                time.sleep(_POLL_S)
                for job in [job for job in running if job.process.poll() is not None]:
                    running.remove(job)
                    guard.ended(job.process.pid)
                    gpus.extend(job.gpus)
                    if _finish(jobs, job) != 0:
                        failed.append(job.number)
        finally:  # only after a signal or a fault of ours is anything left
            _end_all(jobs, running)
    return failed


def _default_limit(jobs: Jobs, num_gpus: int) -> int:
    """As in run.pl: the number of processors (GPUs), and up to 1.4 times that if it avoids a few left-over jobs."""
    if jobs.gpu:
        return max(1, num_gpus // jobs.gpu)
    limit = max(1, len(os.sched_getaffinity(0)) // jobs.num_threads)
    num_jobs = len(jobs.numbers)
    return num_jobs if limit < num_jobs < 1.4 * limit else limit


def _visible_gpus() -> list[str]:
    """Names for CUDA_VISIBLE_DEVICES of the GPUs we may use."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given and given not in _HIDDEN:
        return given.split(",")
    listing = ""
    if given is None and shutil.which("nvidia-smi"):
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    count = sum(line.startswith("GPU ") for line in listing.splitlines())
    if count == 0:
        which = "nvidia-smi shows no GPU" if given is None else f"CUDA_VISIBLE_DEVICES='{given}' hides them"
        print(f"run_jobs: warning: --gpu was asked for but {which}; one job at a time", file=sys.stderr)
    return [str(index) for index in range(count)]


def _start(jobs: Jobs, number: int, gpus: list[str]) -> _Running:
    log, command = jobs.log_of(number), jobs.fill(jobs.command, number)
    job_log.write_header(log, command)
    environment = dict(os.environ)
    if any(name == "num_threads" for name, _ in jobs.options):
        environment["OMP_NUM_THREADS"] = str(jobs.num_threads)
    taken = [gpus.pop(0) for _ in range(min(jobs.gpu, len(gpus)))]
    if taken:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
    with log.open("ab") as out:
        process = subprocess.Popen(
            # The outer shell outlives a signal to the group, so that a job that saves its work is waited for.
            ["bash", "-c", f"trap : INT TERM HUP; ( {PATIENCE}; {command} )"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # its own group, so that a pipeline can be ended as a whole
        )
    return _Running(number, process, time.monotonic(), taken)


def _finish(jobs: Jobs, job: _Running) -> int:
    elapsed_s = time.monotonic() - job.started
    returncode = job.process.returncode
    job_log.write_trailer(jobs.log_of(job.number), returncode, elapsed_s=elapsed_s, num_threads=jobs.num_threads)
    return returncode


def _end_all(jobs: Jobs, running: list[_Running]) -> None:
    """End the running jobs with all their children: SIGTERM, then SIGKILL for what is left when there is no more time.

    That is after the grace time, or when a further signal comes.
    """
    begin, told = time.monotonic(), False
    _signal_all(running, signal.SIGTERM)
    with next_signal() as come:
        while any(job.process.poll() is None for job in running):
            waited_s = time.monotonic() - begin
            if come.is_set() or waited_s > GRACE_S:
                break
            if not told and waited_s > _TOLD_AFTER_S:
                with suppress(OSError):  # the terminal may be gone
                    print("run_jobs: waiting for jobs to save; Ctrl-C again ends them at once", file=sys.stderr)
                told = True
            time.sleep(_POLL_S)
    _signal_all(running, signal.SIGKILL)
    for job in running:
        job.process.wait()
        _finish(jobs, job)


def _signal_all(running: list[_Running], kind: signal.Signals) -> None:
    for job in running:
        with suppress(ProcessLookupError):
            os.killpg(job.process.pid, kind)
