"""What to do when a loss or gradient is not a finite number: name the utterances, keep the batch, undo the step."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zspex_toolkit.train.batches import Batch
from zspex_toolkit.train.checkpoint import write_bytes

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

    def restore(self) -> None:
        """Go back to the values remembered last."""
        if self._buffers:
            torch._foreach_copy_(self._buffers, self._kept)


def dump_batches(
    exp_dir: Path, name: str, batches: list[Batch], model: nn.Module, rng_state: Tensor, values: dict[str, float]
) -> str:
    """Write the batches of a bad step to ``exp_dir/bad_batches/<name>.pt`` for replay.

    Returns:
        Where they are, in words; only the first files of an experiment are written.
    """
    folder = exp_dir / "bad_batches"
    if len(list(folder.glob("*.pt"))) >= _MAX_DUMPS:
        return f"not saved, {folder} has {_MAX_DUMPS} files already"
    plain = [{key: _plain(value) for key, value in batch.items()} for batch in batches]
    weights = {key: value.detach().cpu() for key, value in model.state_dict().items()}
    buffer = io.BytesIO()
    torch.save({"batches": plain, "model": weights, "rng": rng_state, "values": values}, buffer)
    write_bytes(folder / f"{name}.pt", buffer.getvalue())
    return f"saved in {folder / name}.pt"


def load_bad_batches(path: Path) -> dict[str, Any]:
    """A file of :func:`dump_batches`: ``batches``, ``model`` (its state before the step), ``rng`` (torch's random
    state before the step) and ``values`` (statistics found)."""
    return torch.load(path, map_location="cpu", weights_only=True)


def names_of(batches: list[Batch]) -> str:
    """The ids in the batches, in words, the first ten."""
    ids = [str(name) for batch in batches for name in batch["ids"]]
    more = f" and {len(ids) - _MAX_NAMES} more" if len(ids) > _MAX_NAMES else ""
    return ", ".join(ids[:_MAX_NAMES]) + more


def _plain(value: Any) -> Any:
    return value if isinstance(value, Tensor) else [str(item) for item in value] if isinstance(value, list) else value
