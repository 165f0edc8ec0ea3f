"""Which state of the toolkit's source made a figure."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def current_commit(folder: Path | None = None) -> str:
    """Commit of the toolkit's own checkout (or of ``folder``), and whether files differ from it."""
    folder = folder or Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", os.fspath(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        commit = git("rev-parse", "--short=10", "HEAD")
        return f"{commit}, with uncommitted changes" if git("status", "--porcelain", "-uno") else commit
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
