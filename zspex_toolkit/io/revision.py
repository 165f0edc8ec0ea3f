"""What made a figure: the state of the toolkit's source, and versions of other packages."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
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


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Python's version and those of the packages that are installed.

    >>> sorted(installed_versions(["numpy", "no-such-package"]))
    ['numpy', 'python']
    """
    versions = {"python": platform.python_version()}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
