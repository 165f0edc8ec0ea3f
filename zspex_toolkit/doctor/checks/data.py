"""The state of the data directory that ``--data`` names."""

from __future__ import annotations

from collections.abc import Iterator

from zspex_toolkit.doctor.finding import FAULT, OK, WARNING, Asked, Finding
from zspex_toolkit.io.validate import check_data_dir

__all__ = ["check_data"]

_SHOWN = 5


def check_data(asked: Asked) -> Iterator[Finding]:
    """The first faults of its tables; audio is opened by validate_data_dir alone.

    Raises:
        DataDirError: if there is no such directory.
    """
    if asked.data is None:
        return
    found = check_data_dir(asked.data)
    for fault in found.faults[:_SHOWN]:
        yield Finding(FAULT, str(fault))
    if len(found.faults) > _SHOWN:
        more = f"zspex validate_data_dir --data {asked.data} lists them"
        yield Finding(FAULT, f"{asked.data}: {len(found.faults) - _SHOWN} faults more", more)
    for warning in found.warnings[:_SHOWN]:
        yield Finding(WARNING, str(warning))
    if not found.faults:
        counts = f"{found.num_utterances} utterances, {found.num_speakers} speakers"
        yield Finding(OK, f"{asked.data}: {counts}; audio: validate_data_dir --check_audio true")
