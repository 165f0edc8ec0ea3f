"""The script that a queue runs for each job of an array: it sets the scene and keeps the log as Kaldi's does."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from zspex_toolkit.launch.contract import INTERRUPTED_STATUS, Jobs

# For a shell that waits for a program: told to stop it does so when the program, which may save its work, has ended.
PATIENCE = "trap 'code=$?; exit $((code ? code : 143))' INT TERM HUP"
# Kept even where a site's configuration hands on nothing but PATH; results must not depend on the back end. No variable
# that says what a machine has, as CUDA_VISIBLE_DEVICES, TMPDIR and CUDA_HOME (nothing is compiled for GPUs) do.
KEPT = re.compile(
    "PATH|PYTHON.*|LD_LIBRARY_PATH|LC_ALL"  # of Python
    "|OMP_.*|MKL_.*|CUBLAS_.*|PYTORCH_.*|MALLOC_.*"  # threads, reproducible products, memory
    "|NCCL_.*|TORCH_.*|GLOO_.*|FI_.*"  # how processes meet; FI_*: on EFA and Slingshot
    "|ZSPEX_.*|ATEN_CPU_CAPABILITY|ONEDNN_MAX_CPU_ISA"  # which instructions compute: they decide the last bits
)


def queue_folder_and_name(jobs: Jobs) -> tuple[Path, str]:
    """Where the script and the queue's own log go, as with ``queue.pl``: ``exp/log/x.JOB.log`` -> ``exp/q``, ``x``."""
    log = Path(jobs.log)
    folder = log.parent.parent if log.parent.name in ("log", "LOG") else log.parent
    name = log.name if jobs.variable is None else re.sub(rf"\.?{jobs.variable}", "", log.name)
    name = re.sub(r"\.[a-zA-Z]{1,5}$", "", name) or "jobs"
    if jobs.variable and jobs.first == jobs.last:  # another call may run JOB=4 beside this JOB=3
        name += f".{jobs.first}"
    name = re.sub(r"[^\w.+-]|^(?=\d)", "_", name, flags=re.ASCII)  # as Grid Engine takes it for the name of a job
    return Path(jobs.fill(str(folder / "q"), "all")), name


def job_script(
    jobs: Jobs,
    numbers: Sequence[int],
    tasks: Sequence[int],
    task_variable: str,
    *,
    directives: Sequence[str] = (),
    start_again: str = "",
    remapped_statuses: Sequence[int] = (),
) -> str:
    """Text of the script.

    Args:
        numbers: of the jobs to run.
        tasks: numbers of the queue's array, one for each job: the same, or 1, 2, ... if the queue cannot leave any out.
        task_variable: variable in which the queue gives the task.
        directives: lines for the queue, of jobs that may be started again; the submit command's own flags win.
        start_again: what such a job does when it was stopped from outside, for the shell.
        remapped_statuses: exit statuses that mean something to the queue and are handed to it as 1.
    """
    threads = any(name == "num_threads" for name, _ in jobs.options)
    kept = {name: value for name, value in sorted(os.environ.items()) if KEPT.fullmatch(name)}
    if threads:
        kept["OMP_NUM_THREADS"] = str(jobs.num_threads)
    lines = [
        "#!/bin/bash",
        *(directives if jobs.requeue else ()),
        f"cd {quote(os.getcwd())} || exit 1",
        "[ ! -f path.sh ] || . ./path.sh",
    ]
    lines += [f"export {name}={quote(value)}" for name, value in kept.items()]
    lines.append(_number_line(numbers, tasks, task_variable))
    for name, text in (("command", jobs.command), ("log", jobs.log)):
        lines.append(f"{name}={quote(text)}")
        if jobs.variable:
            lines.append(f"{name}=${{{name}//{jobs.variable}/$number}}")
    lines.append(_BODY.format(threads=jobs.num_threads, patience=PATIENCE))
    if jobs.requeue:
        lines.append(f"if [[ $status = {INTERRUPTED_STATUS} ]]; then\n{start_again}\nfi")
    if remapped_statuses:
        lines.append(f"case $status in {' | '.join(map(str, remapped_statuses))}) exit 1 ;; esac")
    return "\n".join([*lines, "exit $status", ""])


def _number_line(numbers: Sequence[int], tasks: Sequence[int], task_variable: str) -> str:
    if len(numbers) == 1:
        return f"number={numbers[0]}"
    if list(numbers) == list(tasks):
        return f"number=${task_variable}"
    return f"numbers=({' '.join(map(str, numbers))})\nnumber=${{numbers[{task_variable} - 1]}}"


# The shell outlives signals to its group, so that a job that saves its work is waited for and the log gets its end.
# SIGUSR1, or Grid Engine's SIGUSR2, comes to this shell before a time limit strikes: it is handed on to the processes
# that asked for it; all others ignore it and work on. A job that was started again goes on in the same log.
_BODY = """{{
    echo "# Running on $(hostname)"
    echo "# Started at $(LC_ALL=C date)"
    printf '# %s\\n' "$command"
}} >>"$log" || exit 1
trap '' INT TERM HUP
trap 'warned=yes; trap "" USR1 USR2; kill -s USR1 -- -$$ 2>/dev/null' USR1 USR2
begin=$(date +%s) warned=
(trap '' USR1 USR2; {patience}; eval "$command") >>"$log" 2>&1 </dev/null &
wait $!
status=$?
if [[ $warned ]]; then # that ended only the waiting
    wait $!
    status=$?
fi
{{
    echo "# Accounting: time=$(($(date +%s) - begin)) threads={threads}"
    echo "# Finished at $(LC_ALL=C date) with status $status"
}} >>"$log" || exit 1"""
