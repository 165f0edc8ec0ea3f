"""A folder of audio that a command makes: which files are its own, and by which settings they were made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.audio import audio_info

NOTE = "made_by.json"


def claim(out: Path, settings: dict[str, Any], files: Sequence[str]) -> None:
    """Note in ``out`` that ``files`` are made by ``settings``; files that earlier ones made go, all others stay.

    Args:
        out: the folder; made if missing.
        settings: all that the samples follow from, as JSON has it.
        files: names.

    Raises:
        ConfigError: if one of the files is there and no note says that it was made.
    """
    note, made = out / NOTE, {"settings": {}, "files": []}
    if note.exists():
        made = json.loads(note.read_text(encoding="utf-8"))
    taken = sorted(name for name in set(files) - set(made["files"]) if (out / name).exists())
    if taken:
        raise ConfigError(f"out: {out} holds another file of the name {taken[0]}; give another folder")
    kept = set(files) if made["settings"] == settings else set()
    for name in set(made["files"]) - kept:
        (out / name).unlink(missing_ok=True)
    if made != (made := {"settings": settings, "files": list(files)}):
        write_json(note, made)


def is_made(path: Path) -> bool:
    """Whether a file is there and readable as audio."""
    try:
        return audio_info(path).num_samples > 0
    except AudioError:
        return False
