"""Programs that act as the commands of Slurm and Grid Engine: ``fake_cluster.py PROGRAM ARGUMENT...``.

Jobs run at once on this machine. The folder $FAKE holds one folder a job, with one file a task that says its state:
``RUNNING PID``, ``ENDED STATUS``, ``CANCELLED`` or what the test wants said. Files of the test's in $FAKE:
called      is written: one line for each call
refuse      how many submissions fail, a line of numbers, and with which words
silent      the commands that ask and cancel do not answer
forget      ended tasks are unknown to every command
late        seconds after a job's end at which its log appears
limit       the highest number of a task, of an array; else 2000
time_over   Grid Engine takes each end of a job for that of its time, after which it runs none again
say         what the queue says of ended tasks, instead of the truth
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("sbatch", "squeue", "sacct", "scontrol", "scancel", "qsub", "qstat", "qacct", "qdel", "qconf")
FAKE = Path(os.environ.get("FAKE", os.devnull))  # pytest, looking for doctests, imports this without it


def install(folder):
    """Write the commands of the cluster into the folder."""
    for name in PROGRAMS:
        program = folder / name
        program.write_text(f'#!/bin/bash\nexec {sys.executable} -SE {Path(__file__).resolve()} {name} "$@"\n')
        program.chmod(0o755)


def knob(name):
    return (FAKE / name).read_text().strip() if (FAKE / name).exists() else ""


def put(state, text):
    """Write the state of a task at once: half of it would be another state."""
    fresh = FAKE / f".{os.getpid()}"
    fresh.write_text(text)
    fresh.replace(state)


def submit(argv, task_variable, array):
    count, _, words = knob("refuse").partition(" ")
    if count and int(count) > 0:
        (FAKE / "refuse").write_text(f"{int(count) - 1} {words}")
        sys.exit(words)
    job = FAKE / str(sum(entry.is_dir() for entry in FAKE.iterdir()) + 1)
    job.mkdir()
    for task in array or [0]:
        put(job / str(task), "PENDING")
    if os.fork() == 0:  # the cluster
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        for task in array or [0]:
            if (job / str(task)).read_text() == "PENDING":
                run_task(job / str(task), argv[-1], {task_variable: str(task)})
        os._exit(0)
    return job.name


def run_task(state, script, environment):
    log = re.search(r"^log=(.*)$", Path(script).read_text(), re.MULTILINE)[1]
    number = environment.popitem()
    known = {**os.environ, number[0]: number[1], "SLURM_JOB_ID": state.parent.name}
    if number[1] != "0":
        known["SLURM_ARRAY_JOB_ID"] = state.parent.name
    for restart in range(9):
        process = subprocess.Popen(
            ["bash", script], env={**known, "SLURM_RESTART_COUNT": str(restart)}, start_new_session=True
        )
        if state.read_text() != "CANCELLED":
            put(state, f"RUNNING {process.pid}")  # or ENDING, from when it is cancelled until it has ended
        status = process.wait()
        if state.read_text() == "ENDING":
            put(state, "CANCELLED")
        again = number[0] == "SGE_TASK_ID" and status == 99 and not knob("time_over")
        if state.read_text() != "REQUEUED" and not again:
            break
        if state.read_text() == "CANCELLED":
            break
        put(state, "PENDING")
        time.sleep(0.5)
    log = Path(log.replace("JOB", number[1]))
    if knob("late"):
        log.rename(f"{log}.hidden")
    if state.read_text() != "CANCELLED":
        put(state, knob("say") or f"ENDED {status if status >= 0 else 128 - status}")
    if knob("late"):
        time.sleep(float(knob("late")))
        Path(f"{log}.hidden").rename(log)


def cancel(job):
    if knob("silent"):
        sys.exit("no answer")
    for state in (FAKE / job).iterdir():
        kind, _, pid = state.read_text().partition(" ")
        if kind in ("PENDING", "RUNNING"):
            put(state, "ENDING" if pid else "CANCELLED")
            try:
                if pid:
                    os.killpg(int(pid), 15)
            except ProcessLookupError:
                put(state, "CANCELLED")


def states(job):
    """Task -> (kind, rest), of those that the queue still knows."""
    if knob("silent"):
        sys.exit("no answer")
    known = {state.name: state.read_text().partition(" ")[::2] for state in sorted((FAKE / job).iterdir())}
    return {t: s for t, s in known.items() if s[0] in ("PENDING", "RUNNING", "ENDING", "Eqw") or not knob("forget")}


def check_tasks(array):
    if array and max(array) > int(knob("limit") or 2000):
        sys.exit("Invalid job array specification")


def sbatch(argv):
    spec = argv[argv.index("--array") + 1].partition("%")[0] if "--array" in argv else ""
    ranges = [list(map(int, part.split("-"))) for part in spec.split(",") if part]
    array = [task for ends in ranges for task in range(ends[0], ends[-1] + 1)]
    check_tasks(array)
    print("Submitted batch job", submit(argv, "SLURM_ARRAY_TASK_ID", array))


def squeue(argv):
    job, _, task = argv[argv.index("--jobs") + 1].partition("_")
    known = states(job)
    if not known:
        sys.exit("slurm_load_jobs error: Invalid job id specified")
    if argv[-1] == "%T %r":
        print(known[task or "0"][0], "None")
        return
    for task, (kind, rest) in known.items():
        if kind == "ENDED":
            kind, rest = ("COMPLETED", "None") if rest == "0" else ("FAILED", "NonZeroExitCode")
        print(f"{'N/A' if task == '0' else task}|{kind}|{rest}")


def sacct(argv):
    if not knob("sacct"):
        sys.exit("Slurm accounting storage is disabled")
    print(knob("sacct"))


def scontrol(argv):
    if argv == ["show", "config"]:
        print(f"MaxArraySize            = {int(knob('limit') or 2000) + 1}")
        return
    if knob("silent"):
        sys.exit("no answer")
    job, _, task = argv[1].partition("_")
    put(FAKE / job / (task or "0"), "REQUEUED")


def scancel(argv):
    cancel(argv[0])


def qsub(argv):
    first, _, last = argv[argv.index("-t") + 1].partition("-") if "-t" in argv else ("", "", "")
    array = list(range(int(first), int(last) + 1)) if first else []
    check_tasks(array)
    job = submit(argv, "SGE_TASK_ID", array)
    print(f'Your job-array {job}.{first}-{last}:1 ("x.sh") has been submitted' if array else f'Your job {job} ("x.sh")')


def qstat(argv):
    print("<?xml version='1.0'?>\n<job_info>")
    for job in (entry.name for entry in FAKE.iterdir() if entry.is_dir()):
        for task, (kind, _) in states(job).items():
            if kind in ("PENDING", "RUNNING", "ENDING", "Eqw"):
                state = {"PENDING": "qw", "RUNNING": "r", "ENDING": "dr"}.get(kind, kind)
                print(f"<job_list><JB_job_number>{job}</JB_job_number><state>{state}</state>")
                print(("" if task == "0" else f"<tasks>{task}</tasks>") + "</job_list>")
    print("</job_info>")


def qacct(argv):
    for task, (kind, rest) in states(argv[1]).items():
        if kind not in ("PENDING", "RUNNING", "ENDING", "Eqw"):
            status, failed = (rest, "0") if kind == "ENDED" else ("137", "100 : assumedly after job")
            failed = "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit" if knob("time_over") else failed
            shown = "undefined" if task == "0" else task
            print(f"{'=' * 62}\njobnumber    {argv[1]}\ntaskid       {shown}\nfailed       {failed}")
            print(f"exit_status  {status}   ")


def qconf(argv):
    print(f"max_aj_instances             2000\nmax_aj_tasks                 {knob('limit') or 2000}")


def qdel(argv):
    cancel(argv[0])


if __name__ == "__main__":
    with (FAKE / "called").open("a") as called:
        print(*sys.argv[1:], file=called)
    globals()[sys.argv[1]](sys.argv[2:])
