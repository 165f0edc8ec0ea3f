"""history.jsonl: one line per epoch; TensorBoard shows the same numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.train.checkpoint import write_bytes


def read_history(exp_dir: Path) -> list[dict[str, Any]]:
    """The lines of ``exp_dir/history.jsonl``, an epoch each, oldest first; none if there is no such file.

    Raises:
        DataDirError: for a line that is no JSON object with an epoch; names file and line.
    """
    path = Path(exp_dir) / "history.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [_epoch(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)]


def _epoch(line: str, where: str) -> dict[str, Any]:
    try:
        epoch = json.loads(line)
    except json.JSONDecodeError:
        epoch = None
    if not isinstance(epoch, dict) or not {"epoch", "train", "valid"} <= epoch.keys():
        raise DataDirError(f'{where}: expected {{"epoch", "train", "valid", ...}}, got {line[:60]!r}')
    return epoch


class History:
    """Writes history.jsonl (whole, atomically, each time) and TensorBoard's files.

    Args:
        exp_dir: the experiment's directory.
        epoch: whole epochs done; later lines, of a training that went on from an older checkpoint, are dropped.
    """

    def __init__(self, exp_dir: Path, epoch: int):
        # Slow to import: a command that only reads a history need not wait for it.
        from torch.utils.tensorboard import SummaryWriter

        self._path = exp_dir / "history.jsonl"
        self._lines = [line for line in read_history(exp_dir) if line["epoch"] <= epoch]
        self._writer = SummaryWriter(str(exp_dir / "tensorboard"), purge_step=epoch + 1)

    def add(self, line: dict[str, Any]) -> None:
        """Add an epoch's line. What is not finite becomes null: JSON has no name for it."""
        self._lines.append(_finite(line))
        write_bytes(self._path, "".join(json.dumps(item) + "\n" for item in self._lines).encode())
        for name, value in line.items():
            for key, number in (value if isinstance(value, dict) else {"": value} if name != "epoch" else {}).items():
                if isinstance(number, int | float):
                    self._writer.add_scalar(f"{name}/{key}".rstrip("/"), number, line["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Close TensorBoard's files."""
        self._writer.close()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
