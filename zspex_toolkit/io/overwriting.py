"""No command writes over what it reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from zspex_toolkit.errors import ConfigError

_OFFSET = re.compile(r":[0-9]+$")  # of a recording in an archive


def refuse_overwriting(name: str, output: str | os.PathLike | None, inputs: Iterable[str | os.PathLike | None]) -> None:
    """Refuse an output that is one of the inputs, under whatever path, links included.

    Args:
        name: of the setting, for the message.
        output: file or directory to write; None is none.
        inputs: files and directories that are read; those that are None are not.

    Raises:
        ConfigError: if it is one of them; nothing has been written.
    """
    if output is None:
        return
    for one in inputs:
        if one is not None and _same(Path(output), Path(one)):
            raise ConfigError(f"{name}: expected another place than the input {one}, got {output}")


def refuse_sources_within(name: str, folder: str | os.PathLike, sources: Iterable[str], *, what: str = "audio") -> None:
    """Refuse a folder of audio to write, in which recordings of the input lie: they might be removed as outdated.

    Args:
        name: of the setting, for the message.
        folder: gets audio, and loses what an earlier run wrote.
        sources: as of ``wav.scp``; commands and what lies elsewhere pass.
        what: lies in the folder, for the message.

    Raises:
        ConfigError: naming the first such recording; nothing has been written or removed.
    """
    home = os.path.realpath(folder)
    resolved = lru_cache(maxsize=1 << 12)(os.path.realpath)  # few folders hold many recordings
    for source in sources:
        path = _OFFSET.sub("", source)
        if not source.endswith("|") and resolved(os.path.dirname(path) or ".") == home:
            held = f"{folder} holds other {what}, such as {os.path.basename(path)}"
            raise ConfigError(f"{name}: {held}; give another folder")


def _same(one: Path, two: Path) -> bool:
    try:
        return os.path.samefile(one, two)
    except OSError:  # one of them is not there
        return one.resolve() == two.resolve()
