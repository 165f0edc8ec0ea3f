"""What to do when a loss or gradient is not a finite number: name the utterances, keep the batch, undo the step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zspex_toolkit.train.batches import Batch
from zspex_toolkit.train.checkpoint import to_bytes, write_bytes
from zspex_toolkit.train.processes import Processes

_MAX_DUMPS = 20  # a diverged training must not fill the disk
_MAX_NAMES = 10


class Buffers:
    """Snapshot of a network's buffers: a forward pass over a bad batch spoils running means for good.

    Constants are usually registered with ``persistent=False`` and left out.
    """

    def __init__(self, model: nn.Module):
        parameters = dict(model.named_parameters(remove_duplicate=False))
        self._buffers = [value for name, value in model.state_dict().items() if name not in parameters]
        self._kept = [value.clone() for value in self._buffers]

    def keep(self) -> None:
        """Remember the present values."""
        if self._buffers:
            torch._foreach_copy_(self._kept, self._buffers)

    def average(self, processes: Processes, num_items: int) -> None:
        """Let every process have the mean of the changes since :meth:`keep`, each weighing by its number of items.

        Counters become those of the process with most items. What no process has changed stays as it is, to the bit.
        """
        if processes.count == 1 or not self._buffers:
            return
        counts = processes.gather(num_items)
        share = num_items / sum(counts)
        has_most = int(processes.rank == counts.index(max(counts)))
        pairs = list(zip(self._buffers, self._kept, strict=True))
        changes = [(buffer - kept) * (share if kept.is_floating_point() else has_most) for buffer, kept in pairs]
        processes.sum_(changes)
        for (buffer, kept), change in zip(pairs, changes, strict=True):
            torch.add(kept, change, out=buffer)

    def restore(self) -> None:
        """Go back to the values remembered last."""
        if self._buffers:
            torch._foreach_copy_(self._buffers, self._kept)


def dump_step(folder: Path, name: str, step: dict[str, Any]) -> str:
    """Write a bad step to ``<folder>/<name>.pt``, to be replayed; ``torch.load(path, weights_only=True)`` reads it.

    Args:
        step: ``batches``, ``model`` (state dict before the step) and ``random_state`` (before the step).

    Returns:
        Where it is, in words: only the first 20 files of an experiment are written.
    """
    if len(list(folder.glob("*.pt"))) >= _MAX_DUMPS:
        return f"not saved ({folder} has {_MAX_DUMPS} files already)"
    write_bytes(folder / f"{name}.pt", to_bytes(_plain(step)))
    return f"saved as {folder / name}.pt"


def names_of(batches: list[Batch]) -> str:
    """The ids in the batches, in words, the first ten."""
    ids = [str(name) for batch in batches for name in batch["ids"]]
    more = f" and {len(ids) - _MAX_NAMES} more" if len(ids) > _MAX_NAMES else ""
    return ", ".join(ids[:_MAX_NAMES]) + more


def _plain(value: Any) -> Any:
    """Only what ``torch.load(weights_only=True)`` takes: tensors, numbers, text and containers of these."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Tensor):
        return value.detach().cpu()
    return value if isinstance(value, bool | int | float | None) else str(value)
