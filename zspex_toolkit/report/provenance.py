"""Where figures come from, whatever the task: date, command, commit, versions, machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import datetime, timezone
from typing import Any

import zspex_toolkit
from zspex_toolkit.io.revision import current_commit

_LIBRARIES = ("torch", "numpy", "scipy", "kaldiio", "soundfile", "soxr", "safetensors")


def environment(command: str, *, now: datetime | None = None) -> dict[str, Any]:
    """What stands above every results page.

    Args:
        command: the command line that made the figures.
        now: date of the page; the present if None.
    """
    now = now or datetime.now(timezone.utc)
    return {
        "date": now.strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "commit": current_commit(),
        "zspex_toolkit": zspex_toolkit.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def environment_lines(facts: dict[str, Any]) -> list[str]:
    """:func:`environment` as a Markdown list."""
    versions = ", ".join(f"{name} {facts[name]}" for name in ("zspex_toolkit", "python", *_LIBRARIES))
    return [
        f"- date: {facts['date']}",
        f"- command: `{facts['command']}`",
        f"- commit: {facts['commit']}",
        f"- versions: {versions}",
        f"- machine that wrote this page: {facts['machine']}",
    ]
