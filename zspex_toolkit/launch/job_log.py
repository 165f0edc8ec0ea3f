"""The log file of one job: header and trailer as Kaldi's ``run.pl`` writes them, and what tells why it failed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch.contract import Jobs

# run.pl and ours: "# Ended (code 1; signal 9) at ..."; queue.pl and slurm.pl: "# Finished at ... with status 1"
_TRAILER = re.compile(r"^# (?:Ended \(code (\d+)(?:; signal (\d+))?\)|Finished at .* with status (\d+))")
_TRACEBACK = "Traceback (most recent call last)"
_MAX_LINES = 25
_MAX_WIDTH = 500  # of a line that is shown
_TAIL_BYTES = 1 << 16
_READ_BYTES = 1 << 20  # of a log's begin, and of its end: a job may have written any amount, of anything


def write_header(log: Path, command: str) -> None:
    """Start the log anew; its folder is made.

    Raises:
        JobError: if the file cannot be written.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"# {command}\n# Started at {_date()}\n#\n", encoding="utf-8")
    except OSError as fault:
        raise JobError(f"cannot write the log file {log}: {fault.strerror}") from fault


def write_trailer(log: Path, returncode: int, *, elapsed_s: float, num_threads: int) -> None:
    """End the log. ``returncode`` is Python's: the exit status, or minus the signal that killed the job.

    Raises:
        JobError: if the file cannot be written.
    """
    ended = f"code {returncode}" if returncode >= 0 else f"code 0; signal {-returncode}"
    seconds = round(elapsed_s)
    try:
        with log.open("a", encoding="utf-8") as out:
            out.write(f"# Accounting: time={seconds} threads={num_threads}\n")
            out.write(f"# Ended ({ended}) at {_date()}, elapsed time {seconds} seconds\n")
    except OSError as fault:
        raise JobError(f"cannot write the log file {log}: {fault.strerror}") from fault


def append_note(log: Path, lines: Sequence[str]) -> None:
    """Add what a queue says of a job that could not say it itself. A log that cannot be written stays as it is."""
    with suppress(OSError), log.open("a", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines)


def ending(log: Path) -> str | None:
    """How a job ended by its log: "0", "1", "0; signal 9"; None if it has not ended or has no log that can be read.

    The time does not depend on the log's size.
    """
    for line in reversed(last_lines(log, 10)):
        if line.startswith("# Started at"):  # again; what stands above is the end of the time before
            break
        if match := _TRAILER.match(line):
            code, signal = match[1] or match[3], match[2]
            return f"{code}; signal {signal}" if signal else code
    return None


def pick(jobs: Jobs) -> tuple[list[int], list[int]]:
    """Numbers of the jobs to run, and of those that failed before and are left so (``--pick incomplete``)."""
    waiting, failed = [], []
    for number in jobs.numbers:
        how = ending(jobs.log_of(number)) if jobs.pick != "all" else None
        if how is None or (how != "0" and jobs.pick == "failed"):
            waiting.append(number)
        elif how != "0":
            failed.append(number)
    return waiting, failed


def last_lines(log: Path, number: int) -> list[str]:
    """The last lines of a file of any size; none if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            return file.read(_TAIL_BYTES).decode("utf-8", errors="replace").splitlines()[-number:]
    except OSError:
        return []


def first_error(log: Path) -> list[str]:
    """Lines of a failed job's log that tell why: its first Python traceback, else its last lines.

    Of a log above 2 MiB only begin and end are read. What a terminal does not show is replaced.
    """
    try:
        lines = _begin_and_end(log).splitlines()
    except OSError as fault:
        return [f"(no log: {fault.strerror})"]
    starts = [number for number, line in enumerate(lines) if line.startswith("# Started at")]
    if len(starts) > 1:  # a queue started the job again: what it said last counts
        lines = lines[starts[-1] :]
    output = [line for line in lines if not re.match(r"# (Accounting|Ended|Started|Finished|Running)", line)]
    starts = [number for number, line in enumerate(output) if _TRACEBACK in line]
    if not starts:
        return [_printable(line) for line in output[-_MAX_LINES:]]
    end = starts[0] + 1
    while end < len(output) and output[end].startswith((" ", "\t")):
        end += 1
    return [_printable(line) for line in output[starts[0] : end + 1][-_MAX_LINES:]]


def _begin_and_end(log: Path) -> str:
    with log.open("rb") as file:
        left_out = os.fstat(file.fileno()).st_size - 2 * _READ_BYTES
        text = file.read(_READ_BYTES)
        if left_out > 0:
            file.seek(left_out, os.SEEK_CUR)
            text += f"\n({left_out} bytes of the log left out)\n".encode()
        return (text + file.read(_READ_BYTES)).decode("utf-8", errors="replace")


def _printable(line: str) -> str:
    shown = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line[:_MAX_WIDTH])
    return shown + (f" ... ({len(line)} characters)" if len(line) > _MAX_WIDTH else "")


def failure_summary(log_pattern: str, failed: Sequence[Path], num_jobs: int) -> str:
    """What a person needs first: the error of the first failed job, its log's path, how many failed.

    Args:
        log_pattern: name of all logs, with ``*`` for the job number.
        failed: logs of the failed jobs, first the one that failed first.
        num_jobs: how many jobs there were.
    """
    how = ending(failed[0])
    lines = [f"the first failed job wrote {failed[0]} ({_explain(how)}), which says:"]
    lines += [f"  | {line}" for line in first_error(failed[0])]
    if num_jobs == 1:
        lines.append(f"job failed, log is in {log_pattern}")
    else:
        lines.append(f"{len(failed)} / {num_jobs} failed, log is in {log_pattern}")
    return "\n".join(lines)


def _explain(how: str | None) -> str:
    if how is None:
        return "it did not end by itself"
    killed = how == "137" or how.endswith("signal 9")
    return f"code {how}" + (": killed, often for using too much memory" if killed else "")


def _date() -> str:
    """Now, as ``date`` prints it in the C locale."""
    return time.strftime("%a %b %e %H:%M:%S %Z %Y")
