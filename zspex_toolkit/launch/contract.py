"""Kaldi's job contract: ``[options] [JOB=1:nj | JOB=3] log/x.JOB.log command args...``.

It is the one command line that jsonargparse does not parse: options may stand before or after ``JOB=``, carry dashes
or underscores, and end where the log file's name begins, because a site's own ``queue.pl`` reads the same line.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.errors import ConfigError

# EX_TEMPFAIL of sysexits.h: the job was stopped from outside and has saved; the same command goes on from there.
INTERRUPTED_STATUS = 75

_JOB = re.compile(r"([A-Za-z_]\w*)=(\d+)(?::(\d+))?")
# Read here or only by a queue; a queue's other switches have one dash (-q, -l, -V) and pass straight to it.
_OPTIONS = ("backend", "config", "gpu", "max_jobs_run", "mem", "name", "num_nodes", "num_threads", "num_tries", "pick")
_OPTIONS += ("requeue", "time")
_PICKS = ("all", "failed", "incomplete")


@dataclass(frozen=True)
class Jobs:
    """What one call asks for: the command line ``command`` run once for each number in ``first..last``."""

    command: str  # for bash, with the job variable in it
    log: str  # log file, with the job variable in it
    variable: str | None = None  # "JOB"
    first: int = 1
    last: int = 1
    num_threads: int = 1
    gpu: int = 0
    max_jobs_run: int | None = None
    num_tries: int = 1
    pick: str = "all"
    chosen: tuple[int, ...] | None = None  # only these numbers of the range, for a further try
    requeue: bool = False  # a queue starts those again that end with INTERRUPTED_STATUS, and tells them to stop in time
    dry_run: bool = False
    backend: str = "local"
    options: tuple[tuple[str, str], ...] = ()  # as given, for back ends that hand them to a queue

    @property
    def numbers(self) -> Sequence[int]:
        return range(self.first, self.last + 1) if self.chosen is None else self.chosen

    def fill(self, text: str, number: int | str) -> str:
        """``text`` with the job variable replaced, textually and everywhere."""
        return text if self.variable is None else text.replace(self.variable, str(number))

    def log_of(self, number: int) -> Path:
        return Path(self.fill(self.log, number))

    @property
    def log_pattern(self) -> str:
        """Name of the logs for people: the file itself for one job, else with ``*`` for the number."""
        return self.fill(self.log, self.first if self.first == self.last else "*")


def quote(argument: str) -> str:
    """One argument as it goes into the shell's command line, by Kaldi's rule.

    Without blanks it is taken raw, so ``|`` or ``>`` act in the shell; with blanks it is quoted: in single quotes if
    it holds a double quote, else in double quotes (there ``$name`` still acts).

    >>> [quote(a) for a in ["a", "|", "b c", 'say "x y"', ""]]
    ['a', '|', '"b c"', '\\'say "x y"\\'', '""']
    """
    if re.fullmatch(r"\S+", argument, re.ASCII):
        return argument
    if '"' in argument:
        return "'" + argument.replace("'", "'\\''") + "'"
    return f'"{argument}"'


def literal(argument: str) -> str:
    r"""``argument`` written without blanks such that ``quote`` and bash give back exactly its characters.

    >>> [literal(a) for a in ["data/JOB", "a b", "$x;'y'"]]
    ['data/JOB', "$'a\\x20b'", "$'$x;\\'y\\''"]
    """
    if re.fullmatch(r"[\w@%+=:,./-]+", argument, re.ASCII):
        return argument
    escaped = re.sub(r"[\\']", r"\\\g<0>", argument)
    return "$'" + re.sub(r"\s", lambda blank: f"\\x{ord(blank[0]):02x}", escaped, flags=re.ASCII) + "'"


def parse(argv: list[str]) -> Jobs:
    """Read a call of the contract.

    Raises:
        ConfigError: for an unknown option, a bad value, an impossible range, a missing log or command, or an array
            whose log name lacks the job variable.
    """
    rest, options, settings = list(argv), [], {}
    while rest and (rest[0].startswith("-") or _is_job(rest[0])):
        word = rest.pop(0)
        if not word.startswith("-"):
            settings.update(_job_range(word))
        elif word in ("--dry_run", "--dry-run"):
            settings["dry_run"] = True
        else:
            options.append(_option(word, rest))
    if len(rest) < 2:
        raise ConfigError(
            "usage: run_jobs [options] [JOB=1:nj] log/x.JOB.log command [args]; no log or no command given"
        )
    log, command = rest[0], " ".join(quote(argument) for argument in rest[1:])
    settings.update(_settings(options))
    jobs = Jobs(command=command, log=log, options=tuple(options), **settings)
    if jobs.variable and jobs.variable not in log and jobs.last > jobs.first:
        raise ConfigError(
            f"you are trying to run a parallel job but you are putting the output into just one log file ({log}); "
            f"put {jobs.variable} into its name"
        )
    return jobs


def _is_job(word: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*=[^/]*", word) is not None


def _job_range(word: str) -> dict:
    match = _JOB.fullmatch(word)
    if match is None:
        raise ConfigError(f"invalid job range {word}: expected NAME=FIRST:LAST or NAME=NUMBER, such as JOB=1:4")
    variable, first, last = match[1], int(match[2]), int(match[3] or match[2])
    if first < 1:
        raise ConfigError(f"invalid job range {word}: start must be strictly positive (GridEngine asks for it)")
    if first > last:
        raise ConfigError(f"invalid job range {word}: start is after end")
    return {"variable": variable, "first": first, "last": last}


def _option(word: str, rest: list[str]) -> tuple[str, str]:
    """Take the value of option ``word`` from ``rest``; ``--foo-bar`` comes out as ``foo_bar``."""
    if word == "-V":
        return word, ""
    name = "max_jobs_run" if word == "-tc" else word
    if word.startswith("--"):
        name = word[2:].replace("-", "_")
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, [*_OPTIONS, "dry_run"], n=1)
            hint = f"did you mean --{near[0]}?" if near else f"known are --{', --'.join(_OPTIONS)}, --dry_run"
            raise ConfigError(f"unknown option {word}; {hint}")
    if not rest:
        raise ConfigError(f"option {word} has no value")
    value = rest.pop(0)
    if word == "-pe" and rest:  # -pe smp 5
        value += " " + rest.pop(0)
    return name, value


def _settings(options: list[tuple[str, str]]) -> dict:
    settings: dict = {}
    for name, value in options:
        if name in ("gpu", "num_nodes", "num_threads", "num_tries", "max_jobs_run"):
            lowest = 0 if name == "gpu" else 1
            if not value.isdecimal() or int(value) < lowest:
                raise ConfigError(f"option --{name}: expected a number of at least {lowest}, got '{value}'")
            number = int(value)
            if name == "max_jobs_run":  # given twice, the smaller counts
                number = min(number, settings.get(name, number))
            if name != "num_nodes":  # for the queue alone
                settings[name] = number
        elif name == "pick":
            if value not in _PICKS:
                raise ConfigError(f"option --pick: expected one of {', '.join(_PICKS)}, got '{value}'")
            settings[name] = value
        elif name == "requeue":
            if value not in ("true", "false"):
                raise ConfigError(f"option --requeue: expected true or false, got '{value}'")
            settings[name] = value == "true"
        elif name == "backend":
            settings[name] = value
    return settings
