"""Slurm and Grid Engine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from zspex_toolkit.doctor.finding import OK, WARNING, Asked, Finding

__all__ = ["check_scheduler"]

# What a cluster answers if it is there.
_ASKED = {"slurm": ("sinfo", "--noheader"), "sge": ("qstat", "-f")}
_WAIT_S = 10


def check_scheduler(asked: Asked) -> Iterator[Finding]:
    """Which clusters answer; without one jobs run on this machine."""
    there = [name for name, words in _ASKED.items() if shutil.which(words[0])]
    if not there:
        yield Finding(OK, "no Slurm or Grid Engine: jobs run on this machine (cmd_backend=local)")
    for name in there:
        try:
            done = subprocess.run(_ASKED[name], capture_output=True, text=True, timeout=_WAIT_S, check=False)
            told = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        except subprocess.TimeoutExpired:
            told = f"no answer within {_WAIT_S} s"
        if told:
            yield Finding(
                WARNING, f"{name}: {_ASKED[name][0]} fails: {told}", "jobs run here unless cmd_backend names it"
            )
        else:
            yield Finding(OK, f"{name} answers: recipes use it with cmd_backend={name}")
