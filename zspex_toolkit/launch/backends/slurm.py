"""Jobs as an array of a Slurm cluster, submitted as ``conf/slurm.conf`` says where there is one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from zspex_toolkit.launch.contract import Jobs
from zspex_toolkit.launch.queue import run_on_queue
from zspex_toolkit.launch.scheduler import ACTIVE, DONE, STUCK, Scheduler, ask

__all__ = ["run"]

_BUILT_IN = """\
command sbatch --export=ALL
option name=* --job-name $0
option time=* --time $0
option mem=* --mem $0
option mem=0
option num_threads=* --cpus-per-task $0
option num_nodes=* --nodes $0 --ntasks-per-node 1
option num_nodes=1
default gpu=0
option gpu=0
option gpu=* --gres gpu:$0
"""
# Not if it was cancelled: that would bring it back to life. (The number of an array's last task is that of them all.)
_START_AGAIN = """\
    job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
    job=${job:-$SLURM_JOB_ID}
    for pause in 1 2 4 none; do
        case $(squeue --noheader --jobs "$job" --format "%T %r" || echo silent) in
            *silent) ;;
            RUNNING* | *TimeLimit) if scontrol requeue "$job"; then break; fi ;;
            *) break ;;
        esac
        if [[ $pause != none ]]; then sleep "$pause"; continue; fi
        echo "Slurm could not be asked to requeue this job, which stays away; start the same command again" >>"$log"
    done"""
_FAILURES = {"BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED"}
_FAILURES |= {"TIMEOUT"}


def run(jobs: Jobs) -> list[int]:
    """Run all jobs to their end; returns the numbers of the failed ones. See ``run_on_queue``."""
    return run_on_queue(jobs, _SLURM)


def _array_flags(tasks: Sequence[int], at_once: int | None) -> str:
    ranges = []
    for task in tasks:
        if ranges and ranges[-1][1] == task - 1:
            ranges[-1][1] = task
        else:
            ranges.append([task, task])
    listed = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
    return f"--array {listed}" + (f"%{at_once}" if at_once else "")


def _log_flags(log: Path) -> str:
    return f"--open-mode=append --output {quote(str(log).replace('%', '%%'))}"


def _job_id(printed: str) -> str | None:
    found = re.search(r"Submitted batch job (\d+)|^(\d+)(?:;\S+)?$", printed, re.MULTILINE)  # the second: --parsable
    return found and (found[1] or found[2])


def _states(job_id: str, tasks: set[int]) -> dict[int, str] | None:
    """From ``squeue``, and from ``sacct`` for what it has forgotten."""
    listed = ask("squeue", "--noheader", "--array", "--states", "all", "--jobs", job_id, "--format", "%K|%T|%r")
    if listed.returncode == 0:
        states = _read(listed.stdout)
    elif "Invalid job id" in listed.stderr:
        states = {}
    else:
        return None
    if tasks - set(states) and shutil.which("sacct"):
        fields = ("--parsable2", "--format", "JobID,State,ExitCode")
        known = ask("sacct", "--noheader", "--allocations", "--array", "--jobs", job_id, *fields)
        lines = [line for line in known.stdout.splitlines() if line.count("|") == 2]
        states = {**_read("\n".join(re.sub(r"^\d+(?:_(\d+))?\|", r"\1|", line) for line in lines)), **states}
    return states


def _read(listed: str) -> dict[int, str]:
    """States from lines such as ``3|FAILED|NonZeroExitCode``."""
    states = {}
    for line in listed.splitlines():
        task, state, reason = line.split("|", 2)
        words = state.split()  # "CANCELLED by 1000"
        if not words or not re.fullmatch(r"\d*|N/A", task):
            continue
        if words[0] == "COMPLETED":
            told = DONE
        elif words[0] in _FAILURES:
            told = f"{state} ({reason})"
        elif "held" in reason and "launch" in reason:  # launch_failed_requeued_held
            told = f"{STUCK}{state} ({reason})"
        else:
            told = ACTIVE
        states[int(task) if task.isdecimal() else 0] = told
    return states


def _max_task() -> int:
    found = re.search(r"^MaxArraySize *= *(\d+)", ask("scontrol", "show", "config").stdout, re.MULTILINE)
    return max(1, int(found[1]) - 1) if found else 1000


_SLURM = Scheduler(
    name="Slurm",
    config_file="conf/slurm.conf",
    built_in_config=_BUILT_IN,
    task_variable="SLURM_ARRAY_TASK_ID",
    array_flags=_array_flags,
    log_flags=_log_flags,
    job_id=_job_id,
    states=_states,
    cancel="scancel",
    unreachable=r"Unable to contact slurm controller|Resource temporarily unavailable",
    max_task=_max_task,
    job_variables="SLURM_(?!CONF$|CLUSTERS$).*",
    array_lists=True,
    directives=("#SBATCH --requeue", "#SBATCH --signal=B:USR1@60"),  # the second: a minute before the time limit
    start_again=_START_AGAIN,
)
