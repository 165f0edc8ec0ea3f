"""No command writes over what it reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from zspex_toolkit.errors import ConfigError


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


def _same(one: Path, two: Path) -> bool:
    try:
        return os.path.samefile(one, two)
    except OSError:  # one of them is not there
        return one.resolve() == two.resolve()
