"""Jobs as an array of a cluster's queue: submitted, watched to their end, cancelled when we are told to stop.

A job has succeeded if its log ends with status 0 *and* the queue says so. One that goes back into the queue (its node
died, it was preempted, it asked for it) is waited for again; one that saved at its time limit, and that the queue
does not run again by itself, is submitted again. What differs between queues is in a
``Scheduler`` (scheduler.py), one for each file of ``backends/``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch import job_log, left_over
from zspex_toolkit.launch.contract import INTERRUPTED_STATUS, Jobs
from zspex_toolkit.launch.interruption import raise_on_signals, signals_held
from zspex_toolkit.launch.job_script import job_script, queue_folder_and_name
from zspex_toolkit.launch.queue_config import read_config, submit_flags
from zspex_toolkit.launch.scheduler import ACTIVE, DONE, STUCK, TIME_OVER, Scheduler, ask

_POLL_S = (0.3, 10.0)  # between looks at the queue: a tenth of the time that has passed, within these
_LOG_WAIT_S = 60.0  # a shared file system shows a file that late, as NFS by default
_FAILED_LOG_WAIT_S = 3.0  # the same, for a log that a killed job may never have begun
_VERDICT_WAIT_S = 3.0  # for a queue that keeps no record of ended jobs: after it the log alone counts
_RETURN_WAIT_S = 30.0  # the same, for a job that was stopped and may be on its way back into the queue
_END_WAIT_S = 30.0  # for cancelled jobs to save their work and leave the queue
_LEFT_OVER_WAIT_S = 300.0  # the same, for those of an earlier start, beside which no others may run
_SUBMIT_WAITS_S = (2.0, 10.0, 30.0)  # before further tries to submit to a queue that does not answer
_SMALL = 1000  # arrays up to here are possible everywhere


@dataclass
class _Task:
    number: int  # of the job
    log: Path
    since: float | None = None  # when the queue said for the first time that it has ended


@dataclass
class _Watched:
    job_id: str
    queue_log: Path
    note: Path
    open: dict[int, _Task]  # by the queue's number
    failed: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)  # jobs whose time was over and that have saved
    stuck: bool = False


def run_on_queue(jobs: Jobs, scheduler: Scheduler) -> list[int]:
    """Run all jobs to their end, those that fail too; for a dry run, print what would be submitted.

    Returns:
        Numbers of the failed jobs, in the order in which they were seen to fail.

    Raises:
        InterruptedJobsError: on SIGINT, SIGTERM or SIGHUP, after the submitted jobs have been cancelled.
        ConfigError: if the site's configuration cannot be read or does not describe an option.
        JobError: if the jobs cannot be submitted or a log cannot be written.
    """
    if not jobs.dry_run:
        with raise_on_signals():
            _end_left_over(left_over.note_of(jobs), scheduler)
    numbers, failed = job_log.pick(jobs)
    waiting = [(part, tasks, False) for part, tasks in _arrays(numbers, scheduler)]
    while waiting:
        watched = _run_one_array(jobs, scheduler, *waiting.pop(0))
        failed = failed + watched.failed
        waiting[:0] = [(part, tasks, True) for part, tasks in _arrays(sorted(watched.again), scheduler)]
    return failed


def _arrays(numbers: Sequence[int], scheduler: Scheduler) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Numbers of the jobs and of the queue's tasks for them, array by array: no task is above the limit."""
    if not numbers:
        return []
    limit = scheduler.max_task() if numbers[-1] > _SMALL else _SMALL
    if numbers[-1] <= limit and (scheduler.array_lists or numbers[-1] - numbers[0] < len(numbers)):
        return [(numbers, numbers)]
    parts = [numbers[begin : begin + limit] for begin in range(0, len(numbers), limit)]
    return [(part, range(1, len(part) + 1)) for part in parts]


def _run_one_array(
    jobs: Jobs, scheduler: Scheduler, numbers: Sequence[int], tasks: Sequence[int], goes_on: bool
) -> _Watched:
    folder, name = queue_folder_and_name(jobs)
    script, queue_log = (folder / f"{name}{ending}" for ending in (".sh", ".log"))
    options = {name: getattr(scheduler, name) for name in ("directives", "start_again", "remapped_statuses")}
    text = job_script(jobs, numbers, tasks, scheduler.task_variable, **options)
    command = _submit_command(jobs, scheduler, tasks, script, queue_log)
    watched = _Watched("", queue_log, left_over.note_of(jobs), {})
    if jobs.dry_run:
        print(f"{command}\n# {script}:\n{text}", end="")
        return watched
    _prepare([] if goes_on else [*map(jobs.log_of, numbers), queue_log], script, text)
    with raise_on_signals():
        try:
            keys = tasks if len(tasks) > 1 else [0]
            watched.open = {task: _Task(n, jobs.log_of(n)) for task, n in zip(keys, numbers, strict=True)}
            _submit(watched, command, scheduler)
            print(f"run_jobs: {scheduler.name} job {watched.job_id} submitted: {script}", file=sys.stderr)
            _watch(watched, scheduler, jobs.requeue)
        finally:  # only after a signal or a fault of ours is anything open
            if watched.job_id and _is_gone(watched, scheduler):
                watched.note.unlink(missing_ok=True)
    return watched


def _submit_command(jobs: Jobs, scheduler: Scheduler, tasks: Sequence[int], script: Path, queue_log: Path) -> str:
    """The line for the shell."""
    path = next((value for name, value in reversed(jobs.options) if name == "config"), None)
    config = read_config(path, scheduler.config_file, scheduler.built_in_config)
    array = len(tasks) > 1
    options = [pair for pair in jobs.options if pair[0] != "max_jobs_run"]
    if array and jobs.max_jobs_run and scheduler.limit_in_config:
        options.append(("max_jobs_run", str(jobs.max_jobs_run)))
    words = [config.command, *submit_flags(config, options), scheduler.log_flags(queue_log.absolute())]
    if array:
        words.append(scheduler.array_flags(tasks, None if scheduler.limit_in_config else jobs.max_jobs_run))
    return " ".join([*words, quote(str(script.absolute()))])


def _prepare(logs: Sequence[Path], script: Path, text: str) -> None:
    """Write the script; take away the logs of an earlier run, whose endings would be taken for those of this one."""
    file = script
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        for file in logs:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
        file = script
        script.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise JobError(f"cannot write {file}: {fault.strerror}") from fault


def _submit(watched: _Watched, command: str, scheduler: Scheduler) -> None:
    """Submit, again if the queue does not answer, and keep its name of the job."""
    within_job = re.compile(scheduler.job_variables)
    for wait_s in (*_SUBMIT_WAITS_S, None):
        with signals_held():
            environment = {name: value for name, value in os.environ.items() if not within_job.fullmatch(name)}
            # In a session of its own: Ctrl-C must not kill it halfway.
            shell = ["bash", "-c", command]
            done = subprocess.run(shell, capture_output=True, text=True, start_new_session=True, env=environment)
            watched.job_id = (done.returncode == 0 and scheduler.job_id(done.stdout)) or ""
            if watched.job_id:
                left_over.write(watched.note, scheduler.name, watched.job_id, f"{scheduler.cancel} {watched.job_id}")
        said = (done.stdout + done.stderr).strip()
        if watched.job_id:
            return
        if done.returncode == 0:
            raise JobError(f"{scheduler.name} took the jobs but did not name them, so they cannot be watched: {said}")
        if wait_s is None or not re.search(scheduler.unreachable, said):
            break
        print(f"run_jobs: {scheduler.name} does not answer; submitting again in {wait_s:g} s: {said}", file=sys.stderr)
        time.sleep(wait_s)
    raise JobError(f"cannot submit to {scheduler.name} (status {done.returncode}): {said}\n{command}")


def _watch(watched: _Watched, scheduler: Scheduler, may_go_on: bool) -> None:
    """Look at the queue until every task has ended; ``may_go_on``: those whose time was over may run again."""
    begin, silent = time.monotonic(), False
    while watched.open:
        states = scheduler.states(watched.job_id, set(watched.open))
        if states is None and not silent:
            print(f"run_jobs: {scheduler.name} does not answer; going on to ask", file=sys.stderr)
        silent = states is None
        left_over.show_life(watched.note)
        for task, state in [] if states is None else _ended(watched, states):
            job = watched.open[task]
            if may_go_on and (state or "").startswith(TIME_OVER) and job_log.ending(job.log) == str(INTERRUPTED_STATUS):
                watched.again.append(job.number)
            elif _verdict(job, state, f"{scheduler.name} job {watched.job_id}", watched.queue_log):
                watched.failed.append(job.number)
            watched.stuck |= (state or "").startswith(STUCK)
            del watched.open[task]
        if watched.open:
            time.sleep(min(max(_POLL_S[0], (time.monotonic() - begin) / 10), _POLL_S[1]))


def _ended(watched: _Watched, states: dict[int, str]) -> list[tuple[int, str | None]]:
    """Tasks of which all is known that will be, with what the queue says of them (None: it has forgotten them)."""
    ended = []
    for task, job in watched.open.items():
        state = states.get(task)
        if state == ACTIVE:
            job.since = None  # also after it was put back into the queue
            continue
        job.since = job.since or time.monotonic()
        waited_s = time.monotonic() - job.since
        with suppress(OSError):
            os.listdir(job.log.parent)  # makes a network file system look again
        how = job_log.ending(job.log)
        if how is None:
            enough_s = _LOG_WAIT_S if state in (DONE, None) else _FAILED_LOG_WAIT_S
        elif state is None:
            enough_s = _RETURN_WAIT_S if how == str(INTERRUPTED_STATUS) else _VERDICT_WAIT_S
        else:
            enough_s = 0.0
        if waited_s >= enough_s:
            ended.append((task, state))
    return ended


def _verdict(job: _Task, state: str | None, name: str, queue_log: Path) -> bool:
    """Whether the job failed. What its own log cannot tell is added to it."""
    how = job_log.ending(job.log)
    if how == "0" and state in (DONE, None):
        return False
    if how is None or how == "0":
        said = {DONE: "says that it ended well", None: "has forgotten it"}.get(state, f"says: {state}")
        waited = f" in {_LOG_WAIT_S:g} s" if state in (DONE, None) else ""
        lines = [f"{name} {said}; the log had no end{waited}" if how is None else f"{name} {said}"]
        lines += job_log.last_lines(queue_log, 10)
        if how == "0":
            lines.append(f"# Ended (code 1), as {name} did not end well")
        job_log.append_note(job.log, lines)
    return True


def _is_gone(watched: _Watched, scheduler: Scheduler) -> bool:
    """Cancel what is left, if anything is; say so if it is not seen to leave the queue."""
    if not watched.open and not watched.stuck:
        return True
    if _cancel(watched.job_id, scheduler, set(watched.open), _END_WAIT_S):
        return True
    name, cancel = f"{scheduler.name} job {watched.job_id}", f"{scheduler.cancel} {watched.job_id}"
    print(f"run_jobs: {name} may still be in the queue; cancel it by: {cancel}", file=sys.stderr)
    return False


def _cancel(job_id: str, scheduler: Scheduler, tasks: set[int], wait_s: float) -> bool:
    """Cancel the job and wait for it to leave the queue; whether that is seen."""
    told = False
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        told = told or ask(scheduler.cancel, job_id).returncode == 0
        if _is_in_queue(scheduler.states(job_id, tasks)) is False:
            return True
        time.sleep(_POLL_S[0])
    return False


def _is_in_queue(states: dict[int, str] | None) -> bool | None:
    """Whether any task may still run; None if the queue does not answer."""
    return None if states is None else any(state == ACTIVE or state.startswith(STUCK) for state in states.values())


def _end_left_over(note: Path, scheduler: Scheduler) -> None:
    """Cancel the job of an earlier start of these, which was killed, if it is still in the queue.

    Raises:
        JobError: if another command watches the job, it does not leave the queue, or it is in another kind of queue.
    """
    left_over.refuse(note, scheduler.name)
    left = left_over.read(note)
    if left is None:
        return
    if _is_in_queue(scheduler.states(left.job_id, set())) is not False:
        if left_over.is_watched(note, left):
            raise JobError(f"{left.name} runs the same jobs for another command, on host {left.host}, pid {left.pid}")
        print(f"run_jobs: {left.name} of an earlier start is still in the queue; cancelling it", file=sys.stderr)
        if not _cancel(left.job_id, scheduler, set(), _LEFT_OVER_WAIT_S):
            raise JobError(f"{left.name} of an earlier start does not leave the queue; cancel it by: {left.cancel}")
    note.unlink(missing_ok=True)
