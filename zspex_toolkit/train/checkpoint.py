"""Checkpoints: written whole or not at all, checked when read, the last few kept."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from zspex_toolkit.errors import UserError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.temporary import remove_temporaries

_KEPT_MID_EPOCH = 2


class Checkpoints:
    """The files ``epoch-3.pt`` (after epoch 3) and ``epoch-4-step-120.pt`` (in the middle of epoch 4) of a directory.

    Args:
        folder: where they are.
        keep_last: how many of whole epochs to keep; of those in the middle of an epoch, two are kept.
    """

    def __init__(self, folder: Path, keep_last: int):
        self._folder = folder
        self._keep_last = keep_last

    def save(self, state: dict[str, Any], epoch: int, step: int = 0) -> Path:
        """Write the state after ``epoch`` whole epochs and ``step`` steps, then remove the oldest files.

        Raises:
            UserError: if it cannot be written; the checkpoints before it are as they were.
        """
        name = f"epoch-{epoch + 1}-step-{step}.pt" if step else f"epoch-{epoch}.pt"
        write_bytes(self._folder / name, to_bytes(state))
        whole = [path for path in self._paths() if "step" not in path.name]
        partial = [path for path in self._paths() if "step" in path.name]
        for path in whole[: -self._keep_last] + partial[:-_KEPT_MID_EPOCH]:
            path.unlink(missing_ok=True)
        return self._folder / name

    def load_newest(self, log: Callable[[str], None]) -> tuple[dict[str, Any], Path] | None:
        """The newest checkpoint that is whole, with its path; None if there is none at all.

        Raises:
            UserError: if there are checkpoints, but every one is broken.
        """
        paths = self._paths()
        for path in reversed(paths):
            try:
                return _read(path), path
            except Exception as error:  # a broken zip or pickle fails in any way
                reason = re.sub(r"\s+", " ", str(error)) or type(error).__name__
                log(f"{path}: broken checkpoint ({reason:.200}); going back to the one before it")
        if paths:
            raise UserError(f"{self._folder}: every checkpoint is broken; remove the directory to begin anew")
        return None

    def remove_partial(self) -> None:
        """Remove those in the middle of an epoch."""
        for path in self._folder.glob("epoch-*-step-*.pt"):
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        """All checkpoints, oldest first."""
        return sorted(self._folder.glob("epoch-*.pt"), key=_position)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; what cannot be written is one clear line.

    Raises:
        UserError: naming the file and the reason; the file that was there before is intact.
    """
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise UserError(
            f"{path}: cannot save ({error.strerror or error}); what was saved before is intact: "
            "make room and start the same command again"
        ) from error


def save_weights(state: dict[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors, atomically; tied weights are written once for each name.

    Raises:
        UserError: if it cannot be written.
    """
    copies = {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}
    write_bytes(path, safetensors.torch.save(copies))


def remove_leftovers(exp_dir: Path) -> None:
    """Remove the half-written files of a process that was killed; only for the holder of the directory's lock."""
    for folder in (exp_dir, exp_dir / "checkpoints", exp_dir / "bad_batches"):
        remove_temporaries(folder)


def _position(path: Path) -> tuple[int, int]:
    """Whole epochs and steps of the next one."""
    epoch, step = re.fullmatch(r"epoch-(\d+)(?:-step-(\d+))?\.pt", path.name).groups()
    return (int(epoch) - 1, int(step)) if step else (int(epoch), 0)


def to_bytes(state: Any) -> bytes:
    """As ``torch.save`` writes it."""
    # Through memory, so that a full disk is Python's OSError, not a message from inside torch's writer.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _read(path: Path) -> dict[str, Any]:
    # torch writes a checksum for every tensor but does not look at it when reading.
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
    if broken:
        raise ValueError(f"wrong checksum in {broken}")
    return torch.load(path, map_location="cpu", weights_only=True)
