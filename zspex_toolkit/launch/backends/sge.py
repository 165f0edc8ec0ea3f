"""Jobs as an array of a Grid Engine cluster, submitted as ``conf/queue.conf`` says where there is one."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from xml.etree import ElementTree

from zspex_toolkit.launch.contract import Jobs
from zspex_toolkit.launch.queue import run_on_queue
from zspex_toolkit.launch.scheduler import ACTIVE, DONE, STUCK, TIME_OVER, Scheduler, ask

__all__ = ["run"]

_BUILT_IN = """\
command qsub -V -cwd -S /bin/bash -j y
option name=* -N $0
option time=* -l h_rt=$0
option mem=* -l mem_free=$0
option mem=0
option num_threads=* -pe smp $0
option num_threads=1
option max_jobs_run=* -tc $0
option num_nodes=1
default gpu=0
option gpu=0
option gpu=* -l gpu=$0
"""

# Codes of accounting(5). After "migrating" and "rescheduling" there is another run, whose own record may come late.
_RUN_AGAIN = ("24", "25")
_TIME_OVER = "37"  # "qmaster enforced h_rt, ... limit": such a job is not run again, whatever status it ends with


def run(jobs: Jobs) -> list[int]:
    """Run all jobs to their end; returns the numbers of the failed ones. See ``run_on_queue``."""
    return run_on_queue(jobs, _SGE)


def _array_flags(tasks: Sequence[int], at_once: int | None) -> str:
    return f"-t {tasks[0]}-{tasks[-1]}"


def _log_flags(log: Path) -> str:
    # To qsub a colon ends a host's name and a comma a file's; from the work folder the name may be free of them.
    name = os.path.relpath(log) if re.search("[:,]", str(log)) else str(log)
    return f"-o {quote(name)}"


def _job_id(printed: str) -> str | None:
    # Your job 7 ("x.sh") ...; Your job-array 7.1-4:1 ("x.sh") ...; with -terse: 7 or 7.1-4:1
    found = re.search(r"Your job(?:-array)? (\d+)|^(\d+)(?:\.\d+-\d+:\d+)?$", printed, re.MULTILINE)
    return found and (found[1] or found[2])


def _states(job_id: str, tasks: set[int]) -> dict[int, str] | None:
    """From ``qstat``, and from ``qacct`` for what has left the queue."""
    listed = ask("qstat", "-xml", "-g", "d", "-u", _user())
    try:
        queue = ElementTree.fromstring(listed.stdout)
    except ElementTree.ParseError:
        return None
    states = {}
    for job in queue.iter("job_list"):
        if job.findtext("JB_job_number") == job_id:
            state = job.findtext("state", "")
            states[int(job.findtext("tasks") or 0)] = f"{STUCK}state {state}" if "E" in state else ACTIVE
    if tasks - set(states):
        states = {**_read_accounting(ask("qacct", "-j", job_id).stdout), **states}
    return states


def _read_accounting(text: str) -> dict[int, str]:
    """States from what ``qacct`` prints: records, each ruled off by a line of ``=``."""
    states = {}
    for record in re.split(r"^=+$", text, flags=re.MULTILINE):
        fields = dict(re.findall(r"^(\w+) +(.*?) *$", record, re.MULTILINE))
        if "exit_status" not in fields:
            continue
        task, failed = fields.get("taskid", "undefined"), fields.get("failed", "0")
        status = fields["exit_status"].split()[0]
        number, code = int(task) if task.isdecimal() else 0, failed.split()[0]
        states.pop(number, None)  # a job that was run again has a later record
        if code not in _RUN_AGAIN:
            told = f"{TIME_OVER if code == _TIME_OVER else ''}exit status {status}, failed {failed}"
            states[number] = DONE if status == code == "0" else told
    return states


def _max_task() -> int:
    found = re.search(r"^max_aj_tasks +(\d+)", ask("qconf", "-sconf").stdout, re.MULTILINE)
    return (int(found[1]) if found else 75000) or 10**9  # 0 is no limit


def _user() -> str:
    """Whose jobs are ours: the environment may name another than the queue sees."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return "*"


_SGE = Scheduler(
    name="Grid Engine",
    config_file="conf/queue.conf",
    built_in_config=_BUILT_IN,
    task_variable="SGE_TASK_ID",
    array_flags=_array_flags,
    log_flags=_log_flags,
    job_id=_job_id,
    states=_states,
    cancel="qdel",
    unreachable=r"unable to (contact|send message to) qmaster|gdi request|commlib error",
    max_task=_max_task,
    limit_in_config=True,
    directives=("#$ -r y", "#$ -notify"),  # the second: SIGUSR2 at a time limit, SIGKILL a minute later
    start_again="    exit 99",
    remapped_statuses=(99, 100),  # to Grid Engine "run again" and "stop here for a person to look"
)
