"""How a site submits jobs: Kaldi's ``conf/queue.conf`` and ``conf/slurm.conf``, read as they are.

command qsub -cwd -S /bin/bash     # how to submit; must be there
option mem=* -l mem_free=$0        # --mem 4G becomes -l mem_free=4G
option mem=0                       # an exact value comes before *, here without any flags
option gpu=* -p gpu                # flags may do without the value, or be none: allowed, whatever it is
default gpu=0                      # as if --gpu 0 was given where no --gpu is
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from zspex_toolkit.errors import ConfigError

# Options of the contract that are ours and never a site's.
_OURS = ("backend", "config", "num_tries", "pick", "requeue")


@dataclass(frozen=True)
class QueueConfig:
    """What a configuration file says."""

    source: str  # the file's name, for messages
    command: str  # for the shell: "sbatch --export=PATH"
    flags: Mapping[tuple[str, str], str]  # (option, value or "*") -> flags, with $0 for the value
    defaults: Mapping[str, str]  # option -> value


def read_config(path: str | None, standard: str, built_in: str) -> QueueConfig:
    """The configuration in file ``path``, else in the file ``standard`` if there is one, else ``built_in``, a text.

    Raises:
        ConfigError: if ``path`` cannot be read, a line cannot be understood, or ``command`` is missing.
    """
    source = Path(path or standard)
    if path is None and not source.exists():
        return parse_config(built_in, "the built-in configuration")
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as fault:
        raise ConfigError(f"cannot read the queue's configuration {source}: {fault.strerror}") from fault
    return parse_config(text, str(source))


def parse_config(text: str, source: str) -> QueueConfig:
    """Read Kaldi's grammar.

    Raises:
        ConfigError: naming the file and the line.
    """
    command, flags, defaults = None, {}, {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = re.sub(r"\s*#.*", "", line).strip()
        if not words:
            continue
        if match := re.fullmatch(r"command\s+(.+)", words):
            command = match[1]
        elif match := re.fullmatch(r"option\s+([^=\s]+)=(\S+)\s*(.*)", words):
            flags[match[1], match[2]] = match[3]
        elif match := re.fullmatch(r"default\s+([^=\s]+)=(\S+)", words):
            defaults[match[1]] = match[2]
        else:
            raise ConfigError(
                f"{source}:{number}: unable to parse line '{line}'; expected 'command ...', 'option NAME=* ...', "
                "'option NAME=VALUE ...' or 'default NAME=VALUE'"
            )
    if command is None:
        raise ConfigError(f'{source} does not contain the line "command ..."')
    return QueueConfig(source, command, flags, defaults)


def submit_flags(config: QueueConfig, options: Sequence[tuple[str, str]]) -> list[str]:
    """Flags for the submit command, texts for the shell.

    Args:
        options: what the call asks for, pairs such as ``("mem", "4G")``; of one name the last counts. Names that begin
            with a dash are the queue's own switches and pass as they are.

    Raises:
        ConfigError: if the configuration does not describe an option, or not this value.
    """
    asked = {**config.defaults, **{name: value for name, value in options if name not in _OURS}}
    result = []
    for name, value in asked.items():
        if name.startswith("-"):
            continue
        flags = config.flags.get((name, value), config.flags.get((name, "*")))
        if flags is None:
            raise ConfigError(
                f"command line option {name} not described in {config.source} (or value '{value}' not allowed)"
            )
        result.append(flags.replace("$0", quote(value)))
    result += [f"{name} {value}".strip() for name, value in options if name.startswith("-")]
    return [flags for flags in result if flags]
