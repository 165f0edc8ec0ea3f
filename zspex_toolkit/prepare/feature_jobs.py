"""One array per utterance over a data directory: jobs write archives, the parent gathers them into one script.

When a job fails, the script that the data directory had before, and the archives it names, stay as they were: jobs
write beside the final archives, which are replaced only when all is well. Killed while they are, none is named.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.temporary import temporary_folder
from zspex_toolkit.launch.run_jobs import run_jobs

_LINE = re.compile(r"^(\d+) of \d+ utterances$", re.MULTILINE)  # how far a job has come, in its log
_EVERY_S = 10.0
DROPPED_BEFORE = "dropped before, by"  # begins the reason of what an earlier command was allowed to drop
_OF_ALL_JOBS = ("cmd", "logdir", "max_dropped_share", "max_unvoiced_share")  # settings that a single job has no use for


class FeatureSettings(Protocol):
    """What the settings of a feature command have in common; all others but ``job`` are handed to its jobs."""

    data: Path  # data directory
    out: Path  # folder for the archives
    nj: int  # number of jobs; no more are run than there are utterances
    cmd: str  # command that runs jobs; empty for this machine
    logdir: Path | None  # folder of the logs; ``<data>/log`` if None
    max_dropped_share: float  # share of the utterances that may fail, 0 to 1
    job: int  # the one piece that the command computes; 0 for all, in jobs


@dataclass(frozen=True)
class Fallback:
    """Something that befalls utterances which are kept.

    Attributes:
        table: name of the table of them that each job writes as ``<name>.<job>``.
        what: they are, such as ``without a voiced frame``.
        option: of the largest share of all utterances.
        max_share: its value.
    """

    table: str
    what: str
    option: str
    max_share: float

    def count(
        self, config: FeatureSettings, command: str, script: str, pieces: Path, num_jobs: int, total: int
    ) -> str | None:
        """What to say at the end; None if there is none.

        Raises:
            DataDirError: if they are more than the share.
        """
        found = list(gathered(pieces, self.table, num_jobs))
        if not found:
            return None
        told = f"{config.data}: {len(found)} of {total} utterances are {self.what}, such as {found[0]}"
        if len(found) > self.max_share * total:
            raise DataDirError(f"{told}; --{self.option} allows a share of {self.max_share:g}, {script} is as it was")
        return f"{command}: {told}"


def run_feature_jobs(
    config: FeatureSettings,
    *,
    command: str,
    archive: str,
    script: str,
    tables: Sequence[str] = (),
    fallback: Fallback | None = None,
) -> None:
    """Run the jobs, then publish archives, script and ``tables`` (file names that every job writes).

    Args:
        config: what to run over which directory.
        command: name of the command in ``bin``; with ``--job N`` it computes one piece.
        archive: first part of the archives' names; ``.N.ark`` follows.
        script: script to write into the data directory, such as ``feats.scp``.
        tables: names of tables that each job writes as ``<name>.<job>``.
        fallback: what happens to some utterances that are kept, told at the end.

    Raises:
        ConfigError: for less than a job or a share out of its range.
        JobError: if a job failed.
        DataDirError: if a larger share than allowed was dropped, or took the fallback.
    """
    if config.nj < 1:
        raise ConfigError(f"--nj: expected at least 1 job, got {config.nj}")
    if not 0 <= config.max_dropped_share <= 1:
        raise ConfigError(f"--max_dropped_share: expected a share of 0 to 1, got {config.max_dropped_share}")
    utterances = DataDir.load(config.data).utterances
    num_jobs = min(config.nj, len(utterances))
    config.out.mkdir(parents=True, exist_ok=True)
    with temporary_folder(config.out / archive) as pieces:
        pieces.mkdir()
        _run(config, command, num_jobs, len(utterances), pieces)
        _report(config, command, script, gathered(pieces, "dropped", num_jobs), len(utterances))
        told = None if fallback is None else fallback.count(config, command, script, pieces, num_jobs, len(utterances))
        _publish(config, archive, script, pieces, num_jobs, tables)
    if told:
        print(told)


def piece_of(utterances: Sequence[str], job: int, nj: int) -> Sequence[str]:
    """The utterances of job 1..nj: neighbours, in order, numbers differing by one at most.

    >>> [piece_of("abcdefgh", job, 3) for job in (1, 2, 3)]
    ['ab', 'cde', 'fgh']
    """
    return utterances[len(utterances) * (job - 1) // nj : len(utterances) * job // nj]


def logged_progress(utterances: Sequence[str]) -> Iterable[str]:
    """The utterances one by one, with a line ``12 of 345 utterances`` every 10 s and at the end."""
    last = time.monotonic()
    for done, utt in enumerate(utterances):
        if time.monotonic() - last > _EVERY_S:
            print(f"{done} of {len(utterances)} utterances", flush=True)
            last = time.monotonic()
        yield utt
    print(f"{len(utterances)} of {len(utterances)} utterances", flush=True)


@contextmanager
def showing_progress(logs: Sequence[Path], *, total: int, what: str) -> Iterator[None]:
    """While the block runs, a bar of what ``logs`` say, if standard error is a terminal."""
    for log in logs:
        log.unlink(missing_ok=True)  # what an earlier run said does not count
    if not sys.stderr.isatty():
        yield
        return
    stop = threading.Event()
    bar = tqdm(total=total, desc=what, unit="utt")

    def watch():
        while not stop.wait(0.5):
            bar.update(count_done(logs) - bar.n)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        bar.update(count_done(logs) - bar.n)
        bar.close()


def count_done(logs: Sequence[Path]) -> int:
    """Utterances that the jobs have done, by the last progress line of each log."""
    done = 0
    for log in logs:
        lines = _LINE.findall(log.read_text(encoding="utf-8", errors="replace")) if log.exists() else []
        done += int(lines[-1]) if lines else 0
    return done


def gathered(pieces: Path, name: str, num_jobs: int) -> dict[str, str]:
    """One table out of those of all jobs."""
    table: dict[str, str] = {}
    for job in range(1, num_jobs + 1):
        table |= read_table(pieces / f"{name}.{job}")
    return table


def _run(config: FeatureSettings, command: str, num_jobs: int, num_utterances: int, pieces: Path) -> None:
    log = (config.logdir or config.data / "log") / f"{command}_{config.data.resolve().name}.JOB.log"
    options = {name: value for name, value in vars(config).items() if name not in _OF_ALL_JOBS}
    given = {**options, "out": pieces, "nj": num_jobs, "job": "JOB"}
    argv = [sys.executable, "-m", f"zspex_toolkit.bin.{command}"]
    argv += [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    logs = [Path(str(log).replace("JOB", str(job))) for job in range(1, num_jobs + 1)]
    with showing_progress(logs, total=num_utterances, what=f"{command} {config.data}"):
        run_jobs(config.cmd, num_jobs=num_jobs, log=log, argv=argv)


def _report(config: FeatureSettings, command: str, script: str, dropped: Mapping[str, str], total: int) -> None:
    """Say what was dropped, on the screen and in ``dropped.txt``."""
    _note_dropped(config.data / "dropped.txt", command, dropped)
    print(f"{command}: {config.data}: {total} utterances in, {total - len(dropped)} kept, {len(dropped)} dropped")
    for utt, reason in list(dropped.items())[:10]:
        print(f"{command}: dropped {utt}: {reason}")
    before = sum(reason.startswith(DROPPED_BEFORE) for reason in dropped.values())
    if before:
        print(f"{command}: {before} of the dropped were dropped with permission before, and do not count again")
    if len(dropped) == total or len(dropped) - before > config.max_dropped_share * total:
        limit = f"--max_dropped_share allows a share of {config.max_dropped_share:g}"
        why = "none is left" if len(dropped) == total else limit
        raise DataDirError(
            f"{config.data}: {len(dropped)} of {total} utterances failed, {why}; "
            f"{script} is as it was, the reasons are in {config.data / 'dropped.txt'}"
        )


def dropped_by(path: Path, command: str) -> dict[str, str]:
    """The utterances that a command dropped, and why, by ``dropped.txt``."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    rows = (line.partition(f" {command}: ") for line in lines if f" {command}: " in line)
    return {utt: reason for utt, _, reason in rows}


def _note_dropped(path: Path, command: str, dropped: Mapping[str, str]) -> None:
    """Replace this command's lines ``<utt> <command>: <reason>`` in ``path``; those of others stay."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    others = [line for line in lines if f" {command}: " not in line]
    ours = [f"{utt} {command}: {reason}" for utt, reason in dropped.items()]
    if lines or ours:
        write_text(path, "".join(f"{line}\n" for line in sorted(others + ours)))


def _publish(
    config: FeatureSettings, archive: str, script: str, pieces: Path, num_jobs: int, tables: Sequence[str]
) -> None:
    contents = {name: gathered(pieces, name, num_jobs) for name in tables}
    arks = [config.out / f"{archive}.{job}.ark" for job in range(1, num_jobs + 1)]
    scripts = [
        {utt: f"{ark}:{spec.rpartition(':')[2]}" for utt, spec in read_table(pieces / f"scp.{job}").items()}
        for job, ark in enumerate(arks, start=1)
    ]
    # No script while archives move: killed in between, offsets of the old ones would point into the new ones.
    for path in [config.data / script, *(ark.with_suffix(".scp") for ark in arks)]:
        path.unlink(missing_ok=True)
    for job, ark in enumerate(arks, start=1):
        os.replace(pieces / f"{job}.ark", ark)
        write_table(ark.with_suffix(".scp"), scripts[job - 1])
    for name, content in contents.items():
        write_table(config.data / name, content)
    write_table(config.data / script, {utt: spec for script in scripts for utt, spec in script.items()})
